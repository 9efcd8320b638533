import { setImmediate as turn } from "node:timers/promises";
import type { Append, AppendOutcome, Store } from "../../src/store/store.ts";
import { broken, writes, committed, versionOf, type BrokenStore } from "./broken-store.ts";

/** Writes whatever version the row is at. */
const regardless = async (
  good: Store,
  batch: readonly Append[],
  hesitate: boolean,
): Promise<readonly AppendOutcome[]> => {
  const isExpected = await Promise.all(batch.map(async ({ row, expect }) => (await versionOf(good, row)) === expect));
  if (hesitate) await turn();
  return Promise.all(
    batch.map(async (append, i): Promise<AppendOutcome> => {
      const version = await versionOf(good, append.row);
      if (hesitate && isExpected[i] !== true) return { kind: "conflict", version };
      const entries = append.entries.map((entry, n) => ({ ...entry, seq: version + 1 + n }));
      const [outcome] = await good.append([{ ...append, expect: version, entries }]);
      return outcome ?? committed;
    }),
  );
};

/** Stores that get it wrong. */
export const lostOrTorn: readonly BrokenStore[] = [
  broken(
    "it acknowledges a write that it lost",
    "read: sees what was acknowledged before, through every object",
    () => {
      let calls = 0;
      return {
        append: async (good, batch) => ((calls += 1) % 5 === 0 ? batch.map(() => committed) : good.append(batch)),
      };
    },
  ),
  broken("it guesses that what is unknown was committed", "race: who writes alone on a row never conflicts", () => {
    let calls = 0;
    return {
      append: async (good, batch) => {
        calls += 1;
        if (calls % 7 !== 0) return good.append(batch);
        const [, ...rest] = batch;
        return [committed, ...(await good.append(rest))];
      },
    };
  }),
  writes(
    "it loses the last entry of a commit",
    "append: several entries of one append stay together and in order",
    (append) => ({
      ...append,
      entries: append.entries.length > 1 ? append.entries.slice(0, -1) : append.entries,
    }),
  ),
  writes(
    "it forgets to replace the head",
    "append: a row begins at version 1 and every append adds one",
    (append, call) => (call > 1 ? { ...append, head: new Uint8Array() } : append),
  ),
  broken("it does nothing when there are no entries", "append: without entries the head alone changes", {
    append: (good, batch) =>
      good.append(batch.filter(({ entries }) => entries.length > 0)).then((outcomes) => {
        const left = [...outcomes];
        return batch.map(({ entries }) => (entries.length > 0 ? (left.shift() ?? committed) : committed));
      }),
  }),
  broken("it commits the first half of a full batch", "append: a full batch is committed", {
    append: async (good, batch) => {
      const half = batch.length > 500 ? batch.length / 2 : batch.length;
      const outcomes = await good.append(batch.slice(0, half));
      return batch.map((_, i) => outcomes[i] ?? committed);
    },
  }),
  writes("it zeroes what it was given", "append: what was handed in is left as it was", (append) => {
    const kept = { ...append, head: append.head.slice() };
    append.head.fill(0);
    return kept;
  }),
];

/** Stores that get it wrong. */
export const wrongConditions: readonly BrokenStore[] = [
  broken("it never conflicts", "append: an older and a newer expectation conflict, naming the version", {
    append: (good, batch) => regardless(good, batch, false),
  }),
  broken("it makes a row that was expected to exist", "append: expecting a row conflicts with none at version 0", {
    append: async (good, batch) => {
      const missing = await Promise.all(batch.map(async ({ row }) => (await versionOf(good, row)) === 0));
      return good.append(batch.map((append, i) => (missing[i] === true ? { ...append, expect: 0 } : append)));
    },
  }),
  broken("it looks first and writes later", "race: of all who write on one version exactly one wins", {
    append: (good, batch) => regardless(good, batch, true),
  }),
  broken("it names a wrong version in a conflict", "append: expecting no row conflicts with one that is there", {
    append: async (good, batch) =>
      (await good.append(batch)).map((outcome) =>
        outcome.kind === "conflict" ? { kind: "conflict", version: Math.max(0, outcome.version - 1) } : outcome,
      ),
  }),
  broken(
    "it gives outcomes in the order of the rows",
    "append: outcomes are independent and in the order of the batch",
    {
      append: (good, batch) => good.append(batch.toSorted((a, b) => (a.row < b.row ? -1 : 1))),
    },
  ),
  broken("one conflict undoes the whole batch", "append: outcomes are independent and in the order of the batch", {
    append: async (good, batch) => {
      const versions = await Promise.all(batch.map(({ row }) => versionOf(good, row)));
      const isFine = batch.every(({ expect }, i) => expect === versions[i]);
      return isFine ? good.append(batch) : versions.map((version) => ({ kind: "conflict", version }));
    },
  }),
  broken("it takes who comes second for a new row", "race: batches that share rows commit each row of them once", {
    append: async (good, batch) => {
      const outcomes = await good.append(batch);
      return outcomes.map((outcome) => (outcome.kind === "conflict" && outcome.version === 1 ? committed : outcome));
    },
  }),
];
