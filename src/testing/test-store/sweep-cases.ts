import assert from "node:assert/strict";
import type { Store, SweepStep } from "../../store/store.ts";
import { appendTo, commit, during, entry, feedOf, patternBytes, rowOf, upTo } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

const mostSteps = 200;
const large = (seed: number): Uint8Array => patternBytes(70_000, seed);

/** A whole sweep, in small steps. A store without one never leaves anything behind. */
async function sweep(store: Store): Promise<void> {
  let after: string | undefined;
  for (let steps = 1; store.sweep !== undefined; steps += 1) {
    assert.ok(steps <= mostSteps, "a sweep comes to its end");
    const step = await store.sweep({ after, limit: 3 });
    after = step.next;
    if (after === undefined) return;
  }
}

/** What can be seen of the rows, and the feed. */
async function seen(store: Store): Promise<unknown> {
  return { rows: await Promise.all(["a", "b", "c"].map((row) => rowOf(store, row))), feed: await feedOf(store, 5) };
}

/** Index, key and row of everything that a whole sweep names. */
async function namedKeys(store: Store): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  let after: string | undefined;
  do {
    const step: SweepStep = (await store.sweep?.({ after, limit: 2 })) ?? { removed: 0 };
    for (const { index, key, row } of step.keys ?? []) named.add(`${index} ${key} ${row}`);
    after = step.next;
  } while (after !== undefined);
  return named;
}

/** What nobody reads any more goes, and nobody sees a difference. */
export const sweepCases: readonly StoreCase[] = [
  storeCase("sweep: it comes to its end, and nobody sees a difference", async ({ store }) => {
    for (const row of ["a", "b", "c"]) {
      await commit(store, appendTo(row, 0, { entries: [1, 2, 3].map((seq) => entry(seq, { body: large(seq) })) }));
    }
    await commit(store, appendTo("a", 1, { entries: [], trimBelow: 3 }));
    await commit(store, appendTo("b", 1, { entries: [], dropBodiesBelow: 3 }));
    await commit(store, appendTo("c", 1, { entries: [], trimBelow: 3, dropBodiesBelow: 4 }));
    const before = await seen(store);
    await sweep(store);
    assert.deepEqual(await seen(store), before);
    await sweep(store);
    assert.deepEqual(await seen(store), before);
  }),

  storeCase("sweep: every index key is named, where one may be left behind", async ({ store }) => {
    const indexes = ["plain", "app/a%2Fb~", "x$#y"];
    for (const row of ["a", "b", "c"]) {
      const add = indexes.map((index) => ({ index, key: `0001 ${row}#$` }));
      await commit(store, appendTo(row, 0, { add }));
    }
    const named = await namedKeys(store);
    if (store.capabilities.atomicIndex) return;
    for (const row of ["a", "b", "c"]) {
      for (const index of indexes) assert.ok(named.has(`${index} 0001 ${row}#$ ${row}`), `${index} of ${row} is named`);
    }
  }),

  storeCase("sweep: commits go on beside it, and lose nothing", async ({ store, objects }) => {
    const [sweeper = store] = (await objects(2)).toReversed();
    const commits = async (): Promise<void> => {
      for (const version of upTo(6)) {
        const body = large(version);
        await commit(store, appendTo("a", version, { entries: [entry(version + 1, { body })] }));
      }
    };
    await during(commits(), () => sweep(sweeper));
    const { entries } = await rowOf(store, "a");
    assert.deepEqual(
      entries.map(({ body }) => body),
      upTo(6).map(large),
    );
  }),
];
