import { decodeHead } from "../../src/codec/head.ts";
import { partitionOf } from "../../src/codec/row-id.ts";
import { Pipeline, type PipelineOptions } from "../../src/engine/pipeline.ts";
import type { Target } from "../../src/engine/slot-cache.ts";
import { TapeError } from "../../src/errors.ts";
import { defaultLimits } from "../../src/journal/limits.ts";
import {
  accept,
  acceptReading,
  bodyText,
  type Decide,
  type HeadEvent,
  type JournalEvent,
  type RowRules,
} from "../../src/journal/row.ts";
import type { RowId } from "../../src/model/row.ts";
import type { Store } from "../../src/store/store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom } from "../../src/testing/random.ts";

/* The smallest row there is, to test the pipeline with: it adds up numbers. */

/** A sum of numbers, one entry each. */
export interface Counter {
  seq: number;
  total: number;
  /** Changed without an entry. */
  label: string;
}

type CounterEvent =
  | JournalEvent<"counter/added", { readonly by: number }>
  | (HeadEvent<"label"> & { readonly label: string });

/** A decision about a counter. */
export type CounterDecide<T> = Decide<Counter, CounterEvent, T>;

/** The rules of a counter. Its index key is its total, so that every addition moves it. */
export const counterRules: RowRules<Counter, CounterEvent> = {
  past: "all",
  absent: () => ({ seq: 0, total: 0, label: "" }),
  restore(counter, head, entries, row) {
    const { label } = decodeHead<{ format: number; kind: "counter"; label: string }>(head, 1, row, ["counter"]);
    counter.label = label;
    for (const entry of entries) {
      counter.total += (JSON.parse(entry.meta) as { by: number }).by;
      counter.seq = entry.seq;
    }
  },
  evolve(counter, event) {
    if (event.kind === "head/label") counter.label = event.label;
    else counter.total += event.meta.by;
  },
  head: ({ label }) => JSON.stringify({ format: 1, kind: "counter", label }),
  indexKeys: ({ seq, total }) => (seq === 0 ? [] : [{ index: "totals", key: String(total).padStart(4, "0") }]),
  trimBelow: () => 1,
  bytes: () => 1000,
};

/** Adds and answers with the new total; the entry has a body with this text, if there is one. */
export const add =
  (by: number, text?: string): CounterDecide<number> =>
  (counter) =>
    accept(
      [
        {
          kind: "counter/added",
          ref: "c",
          dims: "",
          meta: { by },
          ...(text === undefined ? {} : { body: [text] }),
        },
      ],
      counter.total + by,
    );

/** Adds only if the sum stays within the limit. */
export const addWithin =
  (by: number, limit: number): CounterDecide<number> =>
  (counter, context) => {
    if (counter.total + by > limit) throw new TapeError("TRANSITION_NOT_ALLOWED", `over ${limit}`);
    return add(by)(counter, context);
  };

/** Changes the head alone. */
export const label =
  (text: string): CounterDecide<null> =>
  () =>
    accept([{ kind: "head/label", label: text }], null);

/** Reads the total. */
export const total: CounterDecide<number> = (counter) => accept([], counter.total);

/** Reads the text of an entry after everything is decided. */
export const textOf =
  (seq: number): CounterDecide<string> =>
  () =>
    acceptReading([], [seq], (bodies) => bodyText(bodies, seq, 0));

/** Needs the text of an entry to decide. */
export const decideOnText =
  (seq: number): CounterDecide<string> =>
  (_counter, { bodies }) =>
    bodies(seq) === undefined ? { kind: "needs-bodies", seqs: [seq] } : accept([], bodyText(bodies, seq, 0));

/** A counter as a target of calls. */
export const counter = (name: string): Target<Counter, CounterEvent> => ({
  row: `~/counter/${name}` as RowId,
  partition: partitionOf(""),
  rules: counterRules,
});

/** A pipeline over a store, with a clock that stands still and ids that are the same in every test. */
export function pipelineOver(store: Store, options: Partial<PipelineOptions> = {}, seed = 1): Pipeline {
  const random = seededRandom(seed);
  return new Pipeline({
    store,
    clock: new FakeClock(),
    ids: { commitId: () => random.hex(16), id: () => random.hex(32), spanId: () => random.hex(16) },
    limits: defaultLimits,
    cacheBytes: 1_000_000,
    maxPending: 1000,
    winBusinessKey: () => Promise.reject(new Error("no business keys here")),
    onCommit: () => {},
    onFailure: () => {},
    ...options,
  });
}
