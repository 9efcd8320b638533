import assert from "node:assert/strict";
import { appendTo, commit, entry, feedOf, grow, namesOf, patternBytes, rowOf, seqsOf } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

/** Entries that are removed for good. */
export const trimCases: readonly StoreCase[] = [
  storeCase("trim: entries below are gone, the others stay", async ({ store }) => {
    await grow(store, "a", 5);
    await grow(store, "b", 2);
    await commit(store, appendTo("a", 5, { trimBelow: 4 }));
    assert.deepEqual(await seqsOf(store, "a"), [4, 5, 6]);
    assert.deepEqual(await seqsOf(store, "b"), [1, 2]);
    assert.deepEqual(namesOf(await feedOf(store, 5)), ["a:4", "a:5", "b:1", "b:2", "a:6"]);
  }),

  storeCase("trim: a bound that nothing is below removes nothing", async ({ store }) => {
    await grow(store, "a", 3);
    await commit(store, appendTo("a", 3, { trimBelow: 1 }), appendTo("b", 0, { trimBelow: 0 }));
    assert.deepEqual(await seqsOf(store, "a"), [1, 2, 3, 4]);
    assert.deepEqual(await seqsOf(store, "b"), [1]);
  }),

  storeCase("trim: everything may go, and the row goes on where it was", async ({ store }) => {
    const large = patternBytes(2 * 64 * 1024, 1);
    await commit(store, appendTo("a", 0, { entries: [entry(1, { body: large }), entry(2)] }));
    await commit(store, appendTo("a", 1, { entries: [], trimBelow: 3 }));
    const slice = await rowOf(store, "a");
    assert.deepEqual([slice.version, slice.entries], [2, []]);
    await commit(store, appendTo("a", 2, { entries: [entry(3)] }));
    assert.deepEqual(await seqsOf(store, "a"), [3]);
    assert.deepEqual(namesOf(await feedOf(store, 1)), ["a:3"]);
  }),

  storeCase("trim: it is done after the entries of the same append were added", async ({ store }) => {
    await grow(store, "a", 2);
    await commit(store, appendTo("a", 2, { entries: [entry(3), entry(4), entry(5)], trimBelow: 5 }));
    assert.deepEqual(await seqsOf(store, "a"), [5]);
  }),

  storeCase("trim: a position is not given again when its entry has gone", async ({ store }) => {
    await grow(store, "a", 4);
    const before = (await feedOf(store, 4)).at(-1)?.position ?? 0;
    await commit(store, appendTo("a", 4, { entries: [], trimBelow: 5 }));
    await commit(store, appendTo("b", 0));
    const [fed] = await feedOf(store, 1, before);
    assert.ok(fed !== undefined && fed.position > before, `position ${fed?.position} comes after ${before}`);
    assert.equal(fed.row, "b");
  }),
];
