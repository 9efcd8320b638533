import { decodeHead } from "../../codec/head.ts";
import { accept, type Decide, type HeadEvent, type RowRules } from "../row.ts";

/*
 * The row that says which run owns a business key (R22). It has no entries. The owner asserts itself by a commit on
 * this row before every attempt to write its effect; a taker first makes the owner's pending attempt impossible, then
 * takes the row over, and both are conditional. So of two runs at most one ever writes the effect: see
 * `engine/business-keys.ts` for the order.
 */

const format = 1;

/** Who owns a business key; `runId` is empty while nobody does. */
export interface BusinessKey {
  seq: number;
  connector: string;
  businessKey: string;
  runId: string;
  /** +1 at every assertion. */
  assertions: number;
}

/** What can happen to a business key. */
export type BusinessKeyEvent = HeadEvent<"assert"> & {
  readonly connector: string;
  readonly businessKey: string;
  readonly runId: string;
};

interface BusinessKeyHead {
  readonly format: number;
  readonly kind: "business-key";
  readonly connector: string;
  readonly business_key: string;
  readonly run_id: string;
  readonly assertions: number;
}

/** The rules of a business key's row. */
export const businessKeyRules: RowRules<BusinessKey, BusinessKeyEvent> = {
  past: "none",
  absent: () => ({ seq: 0, connector: "", businessKey: "", runId: "", assertions: 0 }),
  restore(key, bytes, _entries, row) {
    const head = decodeHead<BusinessKeyHead>(bytes, format, row, ["business-key"]);
    key.connector = head.connector;
    key.businessKey = head.business_key;
    key.runId = head.run_id;
    key.assertions = head.assertions;
  },
  evolve(key, event) {
    key.connector = event.connector;
    key.businessKey = event.businessKey;
    key.runId = event.runId;
    key.assertions += 1;
  },
  head(key) {
    const head: BusinessKeyHead = {
      format,
      kind: "business-key",
      connector: key.connector,
      business_key: key.businessKey,
      run_id: key.runId,
      assertions: key.assertions,
    };
    return JSON.stringify(head);
  },
  indexKeys: () => [],
  trimBelow: () => 1,
  bytes: () => 512,
};

/** What became of an attempt to own a business key. */
export type Ownership =
  | { readonly kind: "owned" }
  /** Another run does, as of this number of assertions. */
  | { readonly kind: "other"; readonly runId: string; readonly assertions: number };

/**
 * Asserts that a run owns a business key: takes it when nobody does, or from `evicting` when the row has not changed
 * since that owner was found to have written nothing.
 */
export const assertBusinessKey =
  (
    wanted: { readonly connector: string; readonly businessKey: string; readonly runId: string },
    evicting: { readonly assertions: number } | null,
  ): Decide<BusinessKey, BusinessKeyEvent, Ownership> =>
  (key) => {
    const mayTake = key.runId === "" || key.runId === wanted.runId || key.assertions === evicting?.assertions;
    if (!mayTake) return accept([], { kind: "other", runId: key.runId, assertions: key.assertions });
    return accept([{ kind: "head/assert", ...wanted }], { kind: "owned" });
  };
