import assert from "node:assert/strict";
import { maxEntries } from "../../store/store.ts";
import {
  appendTo,
  bytes,
  commit,
  conflicts,
  entry,
  feedOf,
  grow,
  keysOf,
  namesOf,
  rowId,
  rowOf,
  seqsOf,
  upTo,
} from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

/** The one atomic act: conditional, on one row, independent of the others in the batch. */
export const appendCases: readonly StoreCase[] = [
  storeCase("append: a row begins at version 1 and every append adds one", async ({ store }) => {
    assert.equal(await store.read(rowId("a")), null);
    for (const version of [1, 2, 3]) {
      const append = appendTo("a", version - 1);
      await commit(store, append);
      const slice = await rowOf(store, "a");
      assert.equal(slice.version, version);
      assert.equal(slice.commitId, append.commitId, "the row keeps the id of the commit that made this version");
      assert.deepEqual(slice.head, append.head);
    }
    assert.deepEqual(await seqsOf(store, "a"), [1, 2, 3]);
  }),

  storeCase("append: expecting no row conflicts with one that is there", async ({ store }) => {
    await grow(store, "a", 2);
    await conflicts(store, appendTo("a", 0), 2);
  }),

  storeCase("append: expecting a row conflicts with none at version 0", async ({ store }) => {
    await conflicts(store, appendTo("a", 1), 0);
    assert.equal(await store.read(rowId("a")), null);
  }),

  storeCase("append: an older and a newer expectation conflict, naming the version", async ({ store }) => {
    await grow(store, "a", 3);
    await conflicts(store, appendTo("a", 2), 3);
    await conflicts(store, appendTo("a", 4), 3);
  }),

  storeCase("append: a conflict writes nothing at all", async ({ store }) => {
    await commit(store, appendTo("a", 0, { add: [{ index: "i", key: "kept" }] }));
    await grow(store, "a", 2, 1);
    const before = await rowOf(store, "a");
    await conflicts(
      store,
      appendTo("a", 1, {
        head: bytes("lost"),
        entries: [entry(4), entry(5)],
        trimBelow: 3,
        add: [{ index: "i", key: "new" }],
        remove: [{ index: "i", key: "kept" }],
      }),
      3,
    );
    assert.deepEqual(await rowOf(store, "a"), before);
    const keys = await keysOf(store, "i");
    // A store without atomic indexes adds before the commit: a key too many is a hint, one too few is a loss.
    assert.ok(keys.includes("kept>a"), "the conflict removed an index key");
    if (store.capabilities.atomicIndex) assert.deepEqual(keys, ["kept>a"]);
    assert.deepEqual(namesOf(await feedOf(store, 3)), ["a:1", "a:2", "a:3"]);
  }),

  storeCase("append: outcomes are independent and in the order of the batch", async ({ store }) => {
    await grow(store, "b", 2);
    const outcomes = await store.append([
      appendTo("d", 0, { entries: [entry(1), entry(2)] }),
      appendTo("b", 1),
      appendTo("a", 0),
      appendTo("z", 7),
      appendTo("c", 0, { entries: [] }),
      appendTo("b2", 0),
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.kind === "conflict" ? outcome.version : outcome.kind)),
      ["committed", 2, "committed", 0, "committed", "committed"],
    );
    assert.deepEqual(await seqsOf(store, "d"), [1, 2]);
    assert.deepEqual(await seqsOf(store, "b"), [1, 2]);
    assert.deepEqual(await seqsOf(store, "a"), [1]);
    assert.equal(await store.read(rowId("z")), null);
    assert.deepEqual(await seqsOf(store, "c"), []);
    assert.deepEqual(await seqsOf(store, "b2"), [1]);
  }),

  storeCase("append: an empty batch has no outcomes", async ({ store }) => {
    assert.deepEqual(await store.append([]), []);
  }),

  storeCase("append: a full batch is committed", async ({ store }) => {
    const { maxBatch } = store.capabilities;
    const rows = upTo(maxBatch).map((i) => `row-${i}`);
    await commit(store, ...rows.map((row) => appendTo(row, 0)));
    await commit(store, ...rows.map((row) => appendTo(row, 1)));
    for (const row of [rows[0], rows[Math.floor(maxBatch / 2)], rows[maxBatch - 1]]) {
      assert.deepEqual(await seqsOf(store, row ?? ""), [1, 2]);
    }
  }),

  storeCase("append: as many entries as may be are committed at once", async ({ store }) => {
    const many = upTo(maxEntries).map((i) => entry(i + 1));
    const batch = [appendTo("a", 0, { entries: many }), appendTo("b", 0), appendTo("c", 0, { entries: many })];
    await commit(store, ...batch);
    for (const row of ["a", "c"]) assert.equal((await seqsOf(store, row)).length, maxEntries);
    const feed = await feedOf(store, 2 * maxEntries + 1, 0, 1000);
    for (const row of ["a", "c"]) {
      const seqs = feed.filter((one) => one.row === row).map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        many.map(({ seq }) => seq),
        `the feed has the entries of ${row} in order`,
      );
    }
  }),

  storeCase("append: without entries the head alone changes", async ({ store }) => {
    await grow(store, "a", 2);
    const append = appendTo("a", 2, { entries: [], head: bytes("changed") });
    assert.deepEqual(await commit(store, append), [0], "there is no last entry, so no position");
    const slice = await rowOf(store, "a");
    assert.equal(slice.version, 3);
    assert.equal(slice.commitId, append.commitId);
    assert.deepEqual(slice.head, bytes("changed"));
    assert.deepEqual(await seqsOf(store, "a"), [1, 2]);
    await commit(store, appendTo("a", 3, { entries: [entry(3)] }));
    assert.deepEqual(namesOf(await feedOf(store, 3)), ["a:1", "a:2", "a:3"]);
  }),

  storeCase("append: several entries of one append stay together and in order", async ({ store }) => {
    await commit(store, appendTo("a", 0, { entries: [entry(1), entry(2), entry(3)] }));
    await commit(store, appendTo("a", 1, { entries: [entry(4), entry(5)] }));
    assert.deepEqual(await seqsOf(store, "a"), [1, 2, 3, 4, 5]);
    assert.equal((await rowOf(store, "a")).version, 2);
    assert.deepEqual(namesOf(await feedOf(store, 5)), ["a:1", "a:2", "a:3", "a:4", "a:5"]);
  }),

  storeCase("append: entries keep the id of their commit", async ({ store }) => {
    const first = appendTo("a", 0, { entries: [entry(1), entry(2)] });
    const second = appendTo("a", 1, { entries: [entry(3)] });
    const third = appendTo("a", 2, { entries: [] });
    for (const append of [first, second, third]) await commit(store, append);
    const slice = await rowOf(store, "a");
    assert.deepEqual(
      slice.entries.map(({ commitId }) => commitId),
      [first.commitId, first.commitId, second.commitId],
    );
    assert.equal(slice.commitId, third.commitId);
  }),

  storeCase("append: the position is that of the last entry, or the feed's secret", async ({ store }) => {
    const positions = await commit(
      store,
      appendTo("a", 0, { entries: [entry(1), entry(2)] }),
      appendTo("b", 0),
      appendTo("c", 0, { entries: [] }),
    );
    const feed = await feedOf(store, 3);
    const positionOf = (name: string): number =>
      feed.find(({ row, seq }) => `${row}:${seq}` === name)?.position ?? assert.fail(`${name} is not in the feed`);
    assert.ok([0, positionOf("a:2")].includes(positions[0] ?? -1), "position of a");
    assert.ok([0, positionOf("b:1")].includes(positions[1] ?? -1), "position of b");
    assert.equal(positions[2], 0);
  }),

  storeCase("append: what was handed in is left as it was", async ({ store }) => {
    const append = Object.freeze(
      appendTo("a", 0, {
        entries: Object.freeze([Object.freeze(entry(1, { body: bytes("body") }))]),
        head: bytes("head"),
      }),
    );
    await commit(store, append);
    assert.deepEqual(append.head, bytes("head"));
    assert.deepEqual(append.entries[0]?.body, bytes("body"));
    const again = await store.append([append]);
    assert.deepEqual(again, [{ kind: "conflict", version: 1 }]);
  }),
];
