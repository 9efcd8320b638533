import assert from "node:assert/strict";
import type { ReadOptions, Store } from "../../store/store.ts";
import { appendTo, bytes, commit, during, entry, feedOf, grow, rowId, rowOf } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

/** A row as of one moment. */
export const readCases: readonly StoreCase[] = [
  storeCase("read: a row that does not exist is null", async ({ store }) => {
    await grow(store, "a", 1);
    assert.equal(await store.read(rowId("b")), null);
    assert.equal(await store.read(rowId("b"), { after: 3, limit: 1, bodies: true }), null);
    assert.equal(await store.read(rowId("b"), { limit: 0 }), null);
  }),

  storeCase("read: `after` and `limit` choose the entries", async ({ store }) => {
    await grow(store, "a", 6);
    const seqs = async (options: Parameters<Store["read"]>[1]): Promise<readonly number[]> => {
      const slice = await store.read(rowId("a"), options);
      assert.deepEqual(slice?.head, bytes('{"version":6}'), "the head comes with every slice");
      assert.equal(slice.version, 6);
      return slice.entries.map(({ seq }) => seq);
    };
    assert.deepEqual(await seqs({}), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await seqs({ after: 0 }), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await seqs({ after: 4 }), [5, 6]);
    assert.deepEqual(await seqs({ after: 6 }), []);
    assert.deepEqual(await seqs({ after: 60 }), []);
    assert.deepEqual(await seqs({ limit: 0 }), []);
    assert.deepEqual(await seqs({ limit: 2 }), [1, 2]);
    assert.deepEqual(await seqs({ limit: 60 }), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await seqs({ after: 2, limit: 3 }), [3, 4, 5]);
    assert.deepEqual(await seqs({ after: 5, limit: 3, bodies: true }), [6]);
  }),

  storeCase("read: bodies come only when asked for, each with its entry", async ({ store }) => {
    const sizes = [10, store.capabilities.inlineBodyBytes + 10, 20].map((size) => Math.min(size, 100_000));
    const entries = sizes.map((size, i) => entry(i + 1, { body: bytes(String(i).repeat(size)) }));
    await commit(store, appendTo("a", 0, { entries: [...entries, entry(4)] }));
    for (const options of [{}, { bodies: false }, { after: 0, limit: 9 }]) {
      const slice = await store.read(rowId("a"), options);
      for (const read of slice?.entries ?? []) assert.ok(!("body" in read), "a body that nobody asked for");
    }
    assert.deepEqual(
      (await rowOf(store, "a")).entries.map(({ body }) => body),
      [...entries.map(({ body }) => body), undefined],
    );
    const one = await store.read(rowId("a"), { after: 1, limit: 1, bodies: true });
    assert.deepEqual(one?.entries[0]?.body, entries[1]?.body);
  }),

  storeCase("read: many in one turn get what each has asked for, also of the same row", async ({ store }) => {
    const body = (seq: number): Uint8Array => bytes(`body ${seq}`);
    await commit(store, appendTo("a", 0, { entries: [1, 2, 3, 4, 5].map((seq) => entry(seq, { body: body(seq) })) }));
    await commit(store, appendTo("b", 0, { entries: [1, 2, 3].map((seq) => entry(seq, { body: body(seq) })) }));
    await commit(store, appendTo("b", 1, { entries: [], trimBelow: 2 }));
    const asked: readonly (readonly [string, ReadOptions, readonly number[] | null])[] = [
      ["a", {}, [1, 2, 3, 4, 5]],
      ["a", { after: 3 }, [4, 5]],
      ["a", { after: 1, limit: 2 }, [2, 3]],
      ["a", { after: 1, limit: 2, bodies: true }, [2, 3]],
      ["a", { after: 4, limit: 9, bodies: true }, [5]],
      ["a", { after: 5, bodies: true }, []],
      ["a", { limit: 0 }, []],
      ["a", { limit: 0, bodies: true }, []],
      ["b", { limit: 1 }, [2]],
      ["b", { limit: 1, bodies: true }, [2]],
      ["b", { after: 1, limit: 1, bodies: true }, [2]],
      ["none", { bodies: true }, null],
      ["none", { limit: 0 }, null],
    ];
    const found = await Promise.all(asked.map(([row, options]) => store.read(rowId(row), options)));
    for (const [i, [row, options, seqs]] of asked.entries()) {
      const entries = found[i]?.entries.map((read) => [read.seq, read.body]) ?? null;
      const wanted = seqs?.map((seq) => [seq, options.bodies === true ? body(seq) : undefined]) ?? null;
      assert.deepEqual(entries, wanted, `${row} ${JSON.stringify(options)}`);
    }
  }),

  storeCase("read: the position is that of the feed, or left to it", async ({ store }) => {
    await grow(store, "a", 3);
    const fed = (await feedOf(store, 3)).map(({ position }) => position);
    const read = (await rowOf(store, "a")).entries.map(({ position }) => position);
    read.forEach((position, i) => assert.ok(position === 0 || position === fed[i], `entry ${i + 1}`));
  }),

  storeCase("read: sees what was acknowledged before, through every object", async ({ objects }) => {
    const stores = await objects(3);
    for (let version = 0; version < 30; version += 1) {
      const writer = stores[version % stores.length] as Store;
      await commit(writer, appendTo("a", version));
      for (const reader of stores) {
        const slice = await reader.read(rowId("a"), { limit: 0 });
        assert.equal(slice?.version, version + 1, "a stale read");
      }
    }
  }),

  storeCase("read: head and entries are of one moment while the row grows", async ({ objects }) => {
    const [writer, reader] = (await objects(2)) as [Store, Store];
    await grow(writer, "a", 1);
    const reads = await during(grow(writer, "a", 150, 1), async () => {
      const { head, version, entries, commitId } = await rowOf(reader, "a");
      assert.deepEqual(head, bytes(`{"version":${version}}`), "head of another version");
      assert.equal(entries.length, version, "entries of another version");
      assert.equal(entries.at(-1)?.commitId, commitId, "commit id of another version");
    });
    assert.ok(reads > 0);
  }),
];
