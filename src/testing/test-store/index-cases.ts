import assert from "node:assert/strict";
import type { IndexKey, ScanItem, Store } from "../../store/store.ts";
import { appendTo, commit, during, keysOf, rowId, scanAll, upTo } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

const key = (text: string, index = "i"): IndexKey => ({ index, key: text });

/** Rows a, b, c, ... each with one of the keys. */
const withKeys = (store: Store, keys: readonly string[]): Promise<readonly number[]> =>
  commit(store, ...keys.map((text, i) => appendTo(`row-${i}`, 0, { add: [key(text)] })));

/** Keys must be there; others may be only where the index is not atomic. */
async function holds(store: Store, wanted: readonly string[]): Promise<void> {
  const found = await keysOf(store, "i");
  if (store.capabilities.atomicIndex) assert.deepEqual(found, wanted);
  else
    assert.deepEqual(
      found.filter((name) => wanted.includes(name)),
      wanted,
      "an index key is missing",
    );
}

/** Ordered keys that change with their row. */
export const indexCases: readonly StoreCase[] = [
  storeCase("scan: keys come in the order of their bytes, then of their rows", async ({ store }) => {
    const keys = ["b", "a/", "a", "a!", "aa", "~", "Z", "10", "9", "a~", "A", "0".repeat(1024), "a0"];
    await withKeys(store, keys);
    await commit(store, ...["x", "m", "X"].map((row) => appendTo(row, 0, { add: [key("same")] })));
    const sorted = [...keys, "same", "same", "same"].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const items = await scanAll(store, "i");
    assert.deepEqual(
      items.map((item) => item.key),
      sorted,
    );
    assert.deepEqual(
      items.filter((item) => item.key === "same").map(({ row }) => row),
      ["X", "m", "x"],
    );
  }),

  storeCase("scan: `from` is inclusive, `to` is exclusive", async ({ store }) => {
    await withKeys(store, ["a", "b", "c", "d"]);
    const range = async (from?: string, to?: string): Promise<string> =>
      (await scanAll(store, "i", { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }))
        .map((item) => item.key)
        .join("");
    assert.equal(await range(), "abcd");
    assert.equal(await range("b"), "bcd");
    assert.equal(await range(undefined, "c"), "ab");
    assert.equal(await range("b", "d"), "bc");
    assert.equal(await range("b", "b"), "");
    assert.equal(await range("c", "b"), "");
    assert.equal(await range("aa", "cc"), "bc");
    assert.equal(await range("e"), "");
    assert.equal(await range("", "~"), "abcd");
  }),

  storeCase("scan: pages of any size give every item once, and the last has no `next`", async ({ store }) => {
    const keys = ["a", "b", "b", "b", "c", "d", "d"];
    await withKeys(store, keys);
    for (const limit of upTo(keys.length + 2).slice(1)) {
      const items = await scanAll(store, "i", {}, limit);
      assert.equal(items.map((item) => item.key).join(""), keys.join(""), `pages of ${limit}`);
      assert.equal(new Set(items.map(({ row }) => row)).size, keys.length);
    }
  }),

  storeCase("scan: the cursor need not be an item, and bounds still hold behind it", async ({ store }) => {
    await withKeys(store, ["a", "b", "c", "d"]);
    const after = async (cursor: ScanItem, from: string, to: string): Promise<string> =>
      (await scanAll(store, "i", { from, to, after: cursor })).map((item) => item.key).join("");
    assert.equal(await after({ key: "b", row: rowId("row-1") }, "a", "~"), "cd");
    assert.equal(await after({ key: "b", row: rowId("row-0") }, "a", "~"), "bcd");
    assert.equal(await after({ key: "bb", row: rowId("zzz") }, "a", "d"), "c");
    assert.equal(await after({ key: "a", row: rowId("zzz") }, "c", "~"), "cd");
    assert.equal(await after({ key: "e", row: rowId("a") }, "a", "~"), "");
  }),

  storeCase("scan: index spaces do not mix", async ({ store }) => {
    const spaces = ["i", "i/", "i/j", "I", "j", "recover", "dispatch/bank"];
    await commit(store, appendTo("a", 0, { add: spaces.map((space) => key(`in-${space}`, space)) }));
    for (const space of spaces) assert.deepEqual(await keysOf(store, space), [`in-${space}>a`]);
    assert.deepEqual(await keysOf(store, "none"), []);
  }),

  storeCase("index: keys are added and removed with the commit", async ({ store }) => {
    await commit(store, appendTo("a", 0, { add: [key("1"), key("2")] }), appendTo("b", 0, { add: [key("1")] }));
    await holds(store, ["1>a", "1>b", "2>a"]);
    await commit(store, appendTo("a", 1, { add: [key("3")], remove: [key("1")] }));
    await holds(store, ["1>b", "2>a", "3>a"]);
    await commit(store, appendTo("a", 2, { remove: [key("2"), key("3")] }));
    await holds(store, ["1>b"]);
  }),

  storeCase("index: adding twice and removing what is not there change nothing", async ({ store }) => {
    await commit(store, appendTo("a", 0, { add: [key("1")] }));
    await commit(store, appendTo("a", 1, { add: [key("1")], remove: [key("never"), key("1", "other")] }));
    await holds(store, ["1>a"]);
    await commit(store, appendTo("b", 0, { remove: [key("1")] }));
    await holds(store, ["1>a"]);
  }),

  storeCase("index: a key that is both removed and added stays", async ({ store }) => {
    await commit(store, appendTo("a", 0, { add: [key("1")] }));
    await commit(store, appendTo("a", 1, { add: [key("1"), key("2")], remove: [key("1"), key("2")] }));
    await holds(store, ["1>a", "2>a"]);
  }),

  storeCase("index: a row that moves between keys is never out of the index", async ({ objects }) => {
    const [writer, reader] = (await objects(2)) as [Store, Store];
    await commit(writer, appendTo("a", 0, { add: [key("0")] }));
    const move = async (): Promise<void> => {
      for (let version = 1; version < 100; version += 1) {
        const change = { add: [key(String(version))], remove: [key(String(version - 1))] };
        await commit(writer, appendTo("a", version, change));
      }
    };
    await during(move(), async () => {
      const found = await scanAll(reader, "i");
      assert.ok(found.length > 0, "the row is in no place of the index");
      if (reader.capabilities.atomicIndex) assert.equal(found.length, 1, "the row is in two places of the index");
    });
  }),
];
