import assert from "node:assert/strict";
import type { FeedEntry, Store } from "../../store/store.ts";
import { appendTo, bytes, commit, conflicts, entry, feedOf, grow, inTurn, namesOf, upTo } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

/** The order every reader of the feed relies on. */
function isInOrder(entries: readonly FeedEntry[]): void {
  const lastSeq = new Map<string, number>();
  let last = 0;
  for (const { position, row, seq } of entries) {
    assert.ok(Number.isSafeInteger(position), `position ${position} is not an integer below 2^53`);
    assert.ok(position > last, `position ${position} does not rise after ${last}`);
    assert.ok(seq > (lastSeq.get(row) ?? 0), `${row}:${seq} comes after ${row}:${lastSeq.get(row)}`);
    last = position;
    lastSeq.set(row, seq);
  }
}

/** The store-wide order of committed entries. */
export const feedCases: readonly StoreCase[] = [
  storeCase("feed: entries come in the order of their commits, at rising positions", async ({ store }) => {
    await grow(store, "a", 2);
    await grow(store, "b", 1);
    await grow(store, "a", 1, 2);
    await commit(store, appendTo("c", 0, { entries: [entry(1), entry(2)] }));
    const feed = await feedOf(store, 6);
    assert.deepEqual(namesOf(feed), ["a:1", "a:2", "b:1", "a:3", "c:1", "c:2"]);
    isInOrder(feed);
    assert.ok((feed[0]?.position ?? 0) > 0, "0 is before the first");
  }),

  storeCase("feed: pages of any size give every entry once", async ({ store }) => {
    await commit(store, ...["a", "b", "c"].map((row) => appendTo(row, 0, { entries: [entry(1), entry(2)] })));
    const all = await feedOf(store, 6);
    for (const limit of upTo(8).slice(1)) assert.deepEqual(await feedOf(store, 6, 0, limit), all, `pages of ${limit}`);
  }),

  storeCase(
    "feed: `after` is exclusive, and a cursor may lie between entries or behind the last",
    async ({ store }) => {
      await grow(store, "a", 4);
      const all = await feedOf(store, 4);
      for (const [i, { position }] of all.entries()) {
        const behind = await feedOf(store, all.length - i - 1, position);
        assert.deepEqual(namesOf(behind), namesOf(all.slice(i + 1)));
        const from = await feedOf(store, all.length - i, position - 1);
        assert.deepEqual(namesOf(from), namesOf(all.slice(i)));
      }
      const last = all.at(-1)?.position ?? 0;
      const empty = await store.tail({ after: last, limit: 9 });
      assert.deepEqual(empty.entries, []);
      assert.ok(empty.next >= last, "`next` of an empty page is not behind the cursor");
      await commit(store, appendTo("b", 0));
      assert.deepEqual(namesOf(await feedOf(store, 1, empty.next)), ["b:1"], "what commits later is behind the cursor");
    },
  ),

  storeCase("feed: entries come without bodies", async ({ store }) => {
    const bodies = [bytes("small"), new Uint8Array(100_000)];
    await commit(store, appendTo("a", 0, { entries: bodies.map((body, i) => entry(i + 1, { body })) }));
    for (const fed of await feedOf(store, 2)) assert.ok(!("body" in fed), "a body in the feed");
  }),

  storeCase("feed: conflicts and changed heads leave nothing in it", async ({ store }) => {
    await grow(store, "a", 1);
    await conflicts(store, appendTo("a", 0), 1);
    await commit(store, appendTo("a", 1, { entries: [] }));
    await store.append([appendTo("b", 0), appendTo("c", 5)]);
    assert.deepEqual(namesOf(await feedOf(store, 2)), ["a:1", "b:1"]);
  }),

  storeCase("feed: it is the same from whichever object it is read", async ({ objects }) => {
    const stores = await objects(3);
    for (const [i, store] of stores.entries()) await grow(store, `row-${i}`, 3);
    const feeds = await Promise.all(stores.map((store) => feedOf(store, stores.length * 3)));
    for (const feed of feeds) assert.deepEqual(feed, feeds[0]);
  }),

  storeCase("feed: complete and in order while several commit and one reads on", async ({ objects }) => {
    const stores = await objects(4);
    const reader = stores[0] as Store;
    const append = inTurn();
    const rounds = 40;
    const writing = stores.map(async (store, i) => {
      const rows = [`w${i}-a`, `w${i}-b`, `w${i}-c`];
      for (const version of upTo(rounds)) {
        const batch = rows.slice(0, 1 + (version % rows.length));
        const outcomes = await append(
          store,
          batch.map((row) => appendTo(`${row}-${version}`, 0, { entries: [entry(1), entry(2)] })),
        );
        assert.ok(outcomes.every(({ kind }) => kind === "committed"));
      }
    });
    const expected = stores.flatMap((_, i) =>
      upTo(rounds).flatMap((version) =>
        ["a", "b", "c"]
          .slice(0, 1 + (version % 3))
          .flatMap((row) => [1, 2].map((seq) => `w${i}-${row}-${version}:${seq}`)),
      ),
    );
    const [fed] = await Promise.all([follow(reader, expected.length), ...writing]);
    isInOrder(fed);
    assert.deepEqual(namesOf(fed).toSorted(), expected.toSorted());
    assert.deepEqual(await feedOf(reader, expected.length), fed, "read again, the feed is the same");
  }),

  storeCase(
    "feed: positions go on rising after everything was closed and opened again",
    async ({ store, reopen }) => {
      await grow(store, "a", 3);
      const before = await feedOf(store, 3);
      await commit(store, appendTo("a", 3, { entries: [], trimBelow: 4 }));
      await store.close();
      const again = await reopen();
      await grow(again, "b", 2);
      const fed = await feedOf(again, 2, before.at(-1)?.position);
      assert.deepEqual(namesOf(fed), ["b:1", "b:2"]);
      isInOrder([...before, ...fed]);
    },
    "reopen",
  ),
];

/** Reads on with small pages while others commit, like a subscriber. */
async function follow(store: Store, count: number): Promise<readonly FeedEntry[]> {
  const entries: FeedEntry[] = [];
  while (entries.length < count) {
    const fed = await feedOf(store, 1, entries.at(-1)?.position ?? 0, 7);
    entries.push(...fed);
    assert.ok(entries.length <= count, "more entries than were written");
    await new Promise(setImmediate);
  }
  return entries;
}
