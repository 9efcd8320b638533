import assert from "node:assert/strict";
import type { Store } from "../../store/store.ts";
import { appendTo, commit, conflicts, entry, feedOf, namesOf, patternBytes, rowId, rowOf, seqsOf } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

/** Bodies of every kind of size: none, empty, in the entry, and large enough to be kept apart wherever that is done. */
const bodies: readonly (Uint8Array | undefined)[] = [
  patternBytes(100, 1),
  patternBytes(2 * 64 * 1024, 2),
  undefined,
  patternBytes(0, 3),
  patternBytes(20_000, 4),
  patternBytes(1, 5),
];
const last = bodies.length;

/** A row with one entry for each of {@link bodies}, in one append. */
async function grown(store: Store, row: string): Promise<void> {
  const entries = bodies.map((body, i) => entry(i + 1, body === undefined ? {} : { body }));
  await commit(store, appendTo(row, 0, { entries }));
}

/** Lengths of the bodies of a row, in order; -1 where there is none. */
const lengthsOf = async (store: Store, row: string): Promise<readonly number[]> =>
  (await rowOf(store, row)).entries.map(({ body }) => body?.length ?? -1);

const lengths = bodies.map((body) => body?.length ?? -1);
const dropped = (count: number): readonly number[] => lengths.map((length, i) => (i < count ? -1 : length));

/** Bodies that are removed for good, while their entries stay. */
export const dropCases: readonly StoreCase[] = [
  storeCase("drop: bodies below are gone, the others and all entries stay", async ({ store }) => {
    await grown(store, "a");
    await grown(store, "b");
    const before = await rowOf(store, "a");
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 6 }));
    const after = await rowOf(store, "a");
    const bare = ({ body: _body, ...rest }: (typeof before.entries)[number]): object => rest;
    assert.deepEqual(after.entries.map(bare), before.entries.map(bare));
    assert.deepEqual(await lengthsOf(store, "a"), dropped(5));
    assert.deepEqual(after.entries[5]?.body, bodies[5]);
    assert.deepEqual(await lengthsOf(store, "b"), lengths);
  }),

  storeCase("drop: all may go, and every object sees it", async ({ store, objects }) => {
    await grown(store, "a");
    const others = await objects(2);
    for (const other of others) assert.deepEqual(await lengthsOf(other, "a"), lengths);
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: last + 1 }));
    for (const other of others) assert.deepEqual(await lengthsOf(other, "a"), dropped(last));
  }),

  storeCase("drop: a bound that nothing is below removes nothing", async ({ store }) => {
    await grown(store, "a");
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 1 }));
    await commit(store, appendTo("a", 2, { entries: [], dropBodiesBelow: 0 }));
    assert.deepEqual(await lengthsOf(store, "a"), lengths);
  }),

  storeCase("drop: it is done after the entries of the same append were added", async ({ store }) => {
    await grown(store, "a");
    const entries = [7, 8].map((seq) => entry(seq, { body: patternBytes(70_000, seq) }));
    await commit(store, appendTo("a", 1, { entries, dropBodiesBelow: 8 }));
    assert.deepEqual(await lengthsOf(store, "a"), [...dropped(last), -1, 70_000]);
  }),

  storeCase("drop: an append that conflicts drops nothing", async ({ store }) => {
    await grown(store, "a");
    await commit(store, appendTo("a", 1, { entries: [] }));
    await conflicts(store, appendTo("a", 1, { entries: [], dropBodiesBelow: last + 1 }), 2);
    assert.deepEqual(await lengthsOf(store, "a"), lengths);
  }),

  storeCase("drop: what comes afterwards keeps its body, until it is dropped too", async ({ store }) => {
    await grown(store, "a");
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 4 }));
    await commit(store, appendTo("a", 2, { entries: [entry(7, { body: patternBytes(66_000, 7) })] }));
    assert.deepEqual(await lengthsOf(store, "a"), [...dropped(3), 66_000]);
    await commit(store, appendTo("a", 3, { entries: [], dropBodiesBelow: 2 }));
    assert.deepEqual(await lengthsOf(store, "a"), [...dropped(3), 66_000], "an older bound brings nothing back");
    await commit(store, appendTo("a", 4, { entries: [entry(8, { body: patternBytes(9, 8) })], dropBodiesBelow: 8 }));
    assert.deepEqual(await lengthsOf(store, "a"), [...dropped(last), -1, 9]);
  }),

  storeCase("drop: entries and bodies may go in one append", async ({ store }) => {
    await grown(store, "a");
    await commit(store, appendTo("a", 1, { entries: [entry(7)], trimBelow: 3, dropBodiesBelow: 6 }));
    assert.deepEqual(await lengthsOf(store, "a"), [-1, -1, -1, 1, -1]);
    assert.deepEqual(await seqsOf(store, "a"), [3, 4, 5, 6, 7]);
    await commit(store, appendTo("a", 2, { entries: [entry(8, { body: patternBytes(5, 8) })], trimBelow: 8 }));
    assert.deepEqual(await lengthsOf(store, "a"), [5]);
  }),

  storeCase("drop: a part of a row reads as the whole does", async ({ store }) => {
    await grown(store, "a");
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 5 }));
    const slice = await store.read(rowId("a"), { after: 3, limit: 2, bodies: true });
    assert.deepEqual(
      slice?.entries.map(({ seq, body }) => [seq, body?.length]),
      [
        [4, undefined],
        [5, 20_000],
      ],
    );
  }),

  storeCase("drop: the feed goes on as it was", async ({ store }) => {
    await grown(store, "a");
    await commit(store, appendTo("a", 1, { entries: [entry(7)], dropBodiesBelow: 8 }));
    const names = [1, 2, 3, 4, 5, 6, 7].map((seq) => `a:${seq}`);
    assert.deepEqual(namesOf(await feedOf(store, 7)), names);
  }),
];
