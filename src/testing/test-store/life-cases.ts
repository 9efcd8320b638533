import assert from "node:assert/strict";
import type { Store } from "../../store/store.ts";
import {
  appendTo,
  bytes,
  commit,
  entry,
  feedOf,
  grow,
  keysOf,
  namesOf,
  patternBytes,
  refused,
  rowId,
  rowOf,
} from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

/** Every operation that can be refused, by name. */
const operations: Readonly<Record<string, (store: Store, signal?: AbortSignal) => Promise<unknown>>> = {
  append: (store, signal) => store.append([appendTo("a", 1)], { signal }),
  "append of nothing": (store, signal) => store.append([], { signal }),
  read: (store, signal) => store.read(rowId("a"), { signal }),
  "read of no row": (store, signal) => store.read(rowId("b"), { signal }),
  scan: (store, signal) => store.scan("i", { limit: 1, signal }),
  tail: (store, signal) => store.tail({ after: 0, limit: 1, signal }),
  open: (store, signal) => store.open({ signal }),
};

/** Opened, closed, opened again, cancelled: each applied to every operation. */
export const lifeCases: readonly StoreCase[] = [
  storeCase("life: the capabilities are frozen and make sense", async ({ store }) => {
    const { capabilities } = store;
    assert.ok(Object.isFrozen(capabilities));
    const { kind, durable, exclusive, atomicIndex, inlineBodyBytes, wakeDelayMs } = capabilities;
    const { formatVersion, concurrentAppends, maxBatch } = capabilities;
    assert.match(kind, /^[a-z]+$/);
    for (const flag of [durable, exclusive, atomicIndex]) assert.equal(typeof flag, "boolean");
    for (const count of [formatVersion, concurrentAppends, maxBatch]) assert.ok(Number.isInteger(count) && count >= 1);
    for (const amount of [inlineBodyBytes, wakeDelayMs]) assert.ok(amount >= 0);
  }),

  storeCase("life: a store that is closed refuses every operation", async ({ store }) => {
    await grow(store, "a", 1);
    await store.close();
    for (const [name, call] of Object.entries(operations)) await refused(call(store), "SHUTTING_DOWN", name);
    await refused(store.migrate({ dryRun: true }), "SHUTTING_DOWN", "migrate");
    await refused(store.migrate({ dryRun: false }), "SHUTTING_DOWN", "migrate");
  }),

  storeCase("life: closing twice, or at once from two places, is fine", async ({ store }) => {
    await Promise.all([store.close(), store.close()]);
    await store.close();
  }),

  storeCase("life: a cancelled call is refused and writes nothing", async ({ store }) => {
    await grow(store, "a", 1);
    const signal = AbortSignal.abort(new Error("the caller left"));
    for (const [name, call] of Object.entries(operations)) await refused(call(store, signal), "CANCELLED", name);
    assert.equal((await rowOf(store, "a")).version, 1);
    for (const call of Object.values(operations)) await call(store, new AbortController().signal);
    assert.equal((await rowOf(store, "a")).version, 2);
  }),

  storeCase("life: opening and migrating again change nothing", async ({ store }) => {
    await grow(store, "a", 1);
    const before = await rowOf(store, "a");
    await Promise.all([store.open(), store.open()]);
    assert.deepEqual(await store.migrate({ dryRun: true }), { steps: [], dryRun: true });
    assert.deepEqual(await store.migrate({ dryRun: false }), { steps: [], dryRun: false });
    assert.deepEqual(await rowOf(store, "a"), before);
  }),

  storeCase("life: closing waits for appends under way", async ({ store, harness }) => {
    const [outcomes] = await Promise.all([store.append([appendTo("a", 0), appendTo("b", 0)]), store.close()]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["committed", "committed"],
    );
    if (harness.reopen === undefined) return;
    const again = await harness.reopen(store);
    try {
      assert.equal((await rowOf(again, "b")).version, 1);
    } finally {
      await again.close();
    }
  }),

  storeCase("life: two stores share nothing", async ({ store, harness }) => {
    await commit(store, appendTo("a", 0, { add: [{ index: "i", key: "k" }] }));
    const other = await harness.create();
    try {
      assert.equal(await other.read(rowId("a")), null);
      assert.deepEqual(await keysOf(other, "i"), []);
      assert.deepEqual((await other.tail({ after: 0, limit: 9 })).entries, []);
    } finally {
      await harness.destroy(other);
    }
  }),

  storeCase(
    "life: everything is there after closing and opening again",
    async ({ store, reopen }) => {
      await commit(
        store,
        appendTo("c", 0, {
          entries: [entry(1, { body: bytes("small") }), entry(2, { body: patternBytes(100_000, 3) })],
          add: [{ index: "i", key: "k" }],
        }),
      );
      await grow(store, "a", 2);
      await grow(store, "b", 1);
      const seen = async (from: Store): Promise<unknown> => [
        await rowOf(from, "a"),
        await rowOf(from, "b"),
        await rowOf(from, "c"),
        await keysOf(from, "i"),
        await feedOf(from, 5),
      ];
      const before = await seen(store);
      await store.close();
      const again = await reopen();
      assert.deepEqual(await seen(again), before);
      await commit(again, appendTo("b", 1));
      assert.equal(namesOf(await feedOf(again, 6)).at(-1), "b:2");
    },
    "reopen",
  ),
];
