import assert from "node:assert/strict";
import { appendTo, bytes, commit, entry, feedOf, keysOf, patternBytes, rowId, rowOf, seqsOf } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

const mebibyte = 1024 * 1024;
const odd = [
  new Uint8Array(),
  Uint8Array.of(0),
  Uint8Array.of(0xff, 0xfe, 0x00, 0x80, 0xc3),
  Uint8Array.from({ length: 256 }, (_, i) => i),
  bytes('\u{feff}{"bom": true}\r\n'),
  bytes("'; drop table rows; --"),
];

/** Heads are texts: JSON, as a rule. */
const oddHeads = [
  "",
  '\u{feff}{"bom": true}\r\n',
  "'; drop table rows; -- \\ \\u0000 $1",
  '{"text":"ünï-漢字-🙂-e\u0301 \\u0000 \\ud83d"}',
  Array.from({ length: 0x7ff }, (_, i) => String.fromCodePoint(i + 1)).join(""),
  "\u{10ffff}\u{fffe}",
];

/** Every text a `ref` may be: any character. */
const oddRefs = [
  "e/plain",
  "e/with 'quotes' \"and\" `more`",
  "e/%25 %s ? ?1 :name $1 @x",
  "e/line\nfeed\r\ttab",
  "e/ünï-çödé-漢字-🙂-e\u0301",
  "e/\u0000nul\u0000",
  "e/\u0001\u00010\u00011",
  "e/\u{10ffff}\u{fffe}",
  `e/${"long".repeat(500)}`,
];

/** What goes in comes out, to the byte. */
export const contentCases: readonly StoreCase[] = [
  storeCase("content: odd texts come back exactly as heads", async ({ store }) => {
    for (const [i, head] of oddHeads.entries()) {
      await commit(store, appendTo("a", i, { head: bytes(head) }));
      assert.deepEqual((await rowOf(store, "a")).head, bytes(head), `head ${i}`);
    }
  }),

  storeCase("content: odd bytes come back exactly as bodies", async ({ store }) => {
    for (const [i, body] of odd.entries()) await commit(store, appendTo("a", i, { entries: [entry(i + 1, { body })] }));
    const { entries } = await rowOf(store, "a");
    assert.deepEqual(
      entries.map(({ body }) => body),
      odd,
    );
  }),

  storeCase("content: an empty body is not an absent one", async ({ store }) => {
    await commit(store, appendTo("a", 0, { entries: [entry(1, { body: new Uint8Array() }), entry(2)] }));
    const { entries } = await rowOf(store, "a");
    assert.deepEqual(entries[0]?.body, new Uint8Array());
    assert.equal(entries[1]?.body, undefined);
  }),

  storeCase("content: every field of an entry comes back, in a row and in the feed", async ({ store }) => {
    const written = entry(1, {
      kind: "effect/pending",
      ref: "e/run/decision-0/pay/0",
      dims: "pay%2Fnow/run-1",
      meta: '{"tool":"pay/now","text":"ü \\u0000 \\"","list":[1,2.5,null]}',
      at: 1_799_999_999_999,
      trace: "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00f067aa0ba902b7",
      body: bytes("body"),
    });
    const append = appendTo("a", 0, { entries: [written] });
    await commit(store, append);
    const [read] = (await rowOf(store, "a")).entries;
    const [fed] = await feedOf(store, 1);
    const { body: _body, ...envelope } = written;
    assert.deepEqual({ ...read, position: 0 }, { ...written, position: 0, commitId: append.commitId });
    assert.deepEqual({ ...fed, position: 0 }, { ...envelope, position: 0, row: "a" });
  }),

  storeCase("content: a ref may hold any character", async ({ store }) => {
    await commit(store, appendTo("a", 0, { entries: oddRefs.map((ref, i) => entry(i + 1, { ref })) }));
    assert.deepEqual(
      (await rowOf(store, "a")).entries.map(({ ref }) => ref),
      oddRefs,
    );
    assert.deepEqual(
      (await feedOf(store, oddRefs.length)).map(({ ref }) => ref),
      oddRefs,
    );
  }),

  storeCase("content: a head and bodies of 8 MiB come back exactly", async ({ store }) => {
    const { inlineBodyBytes } = store.capabilities;
    const lengths = [inlineBodyBytes, inlineBodyBytes + 1, mebibyte, 8 * mebibyte].filter((n) => n <= 8 * mebibyte);
    const head = bytes("0123456789abcdef".repeat(mebibyte / 2));
    const bodies = lengths.map((length, i) => patternBytes(length, i));
    await commit(store, appendTo("a", 0, { head, entries: bodies.map((body, i) => entry(i + 1, { body })) }));
    const slice = await rowOf(store, "a");
    assert.ok(Buffer.from(slice.head).equals(head), "head");
    for (const [i, body] of bodies.entries()) {
      assert.ok(Buffer.from(slice.entries[i]?.body ?? []).equals(body), `body of ${body.length} bytes`);
    }
  }),

  storeCase("content: rows with similar names do not mix", async ({ store }) => {
    const long = "x".repeat(1023);
    const names = [
      "a",
      "A",
      "a/",
      "a/b",
      "a%",
      "a_",
      "a'b",
      'a"b',
      "a~",
      "a\\",
      "a#b",
      "r#a",
      "*",
      "?",
      "null",
      "0",
      "00",
      `${long}1`,
      `${long}2`,
    ];
    await commit(
      store,
      ...names.map((name) => appendTo(name, 0, { head: bytes(name), add: [{ index: "i", key: name }] })),
    );
    for (const name of names) {
      assert.deepEqual((await rowOf(store, name)).head, bytes(name));
      await commit(store, appendTo(name, 1));
    }
    for (const name of names) assert.deepEqual(await seqsOf(store, name), [1, 2], name);
    assert.deepEqual(
      await keysOf(store, "i"),
      names.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => `${name}>${name}`),
    );
    assert.equal(await store.read(rowId(long)), null);
  }),
];
