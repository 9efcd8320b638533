import { decodeHead } from "../../codec/head.ts";
import { joinMembers, splitMembers } from "../../codec/json-members.ts";
import { accept, type Decide, type HeadEvent, type RowRules } from "../row.ts";
import { mergeState } from "./session.ts";

/*
 * State shared by the sessions of a user or of an app (R65): a row without entries that remembers which changes it has
 * applied, so that a retry applies nothing twice.
 */

const format = 1;
/** A retry comes soon; by then at most this many other changes have come between. */
const rememberedChanges = 256;

/** Shared state, keys without their `user:` or `app:` prefix. */
export interface SharedState {
  seq: number;
  state: ReadonlyMap<string, string>;
  /** Hashes of the last changes, oldest first. */
  applied: readonly string[];
}

/** What can happen to shared state. */
export type SharedStateEvent = HeadEvent<"merge"> & {
  readonly delta: ReadonlyMap<string, string>;
  readonly change: string;
};

interface SharedStateHead {
  readonly format: number;
  readonly kind: "shared-state";
  readonly state_json: string;
  readonly applied: readonly string[];
}

/** The rules of a shared state's row. */
export const sharedStateRules: RowRules<SharedState, SharedStateEvent> = {
  past: "none",
  absent: () => ({ seq: 0, state: new Map(), applied: [] }),
  restore(shared, bytes, _entries, row) {
    const head = decodeHead<SharedStateHead>(bytes, format, row, ["shared-state"]);
    shared.state = splitMembers(head.state_json);
    shared.applied = head.applied;
  },
  evolve(shared, event) {
    shared.state = mergeState(shared.state, event.delta);
    shared.applied = [...shared.applied.slice(1 - rememberedChanges), event.change];
  },
  head(shared) {
    const head: SharedStateHead = {
      format,
      kind: "shared-state",
      state_json: joinMembers(shared.state),
      applied: shared.applied,
    };
    return JSON.stringify(head);
  },
  indexKeys: () => [],
  trimBelow: () => 1,
  bytes: ({ state }) => 512 + [...state].reduce((sum, [key, raw]) => sum + 2 * (key.length + raw.length) + 64, 0),
};

/** Applies a change once; `change` is the hash of what names it. */
export const mergeShared =
  (change: string, delta: ReadonlyMap<string, string>): Decide<SharedState, SharedStateEvent, null> =>
  (shared) =>
    accept(shared.applied.includes(change) ? [] : [{ kind: "head/merge", delta, change }], null);

/** Reads the shared state. */
export const readShared: Decide<SharedState, SharedStateEvent, ReadonlyMap<string, string>> = (shared) =>
  accept([], shared.state);
