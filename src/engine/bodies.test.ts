import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { ScriptedStore } from "../../test/engine/scripted-store.ts";
import { encodeBody } from "../codec/body.ts";
import type { RowId } from "../model/row.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { BodyReader, readBodies } from "./bodies.ts";

const row = "~/run/r" as RowId;
const nothing = (): undefined => undefined;
let store: ScriptedStore;

/** A row of 40 entries; every third has no body. */
beforeEach(async () => {
  const memory = new MemoryStore();
  await memory.open();
  store = new ScriptedStore(memory);
  const entries = Array.from({ length: 40 }, (_, i) => ({
    seq: i + 1,
    kind: "a/b",
    ref: "r",
    dims: "",
    meta: "{}",
    at: 1,
    trace: "",
    body: (i + 1) % 3 === 0 ? undefined : encodeBody([`text ${i + 1}`]),
  }));
  await store.append([
    { row, expect: 0, commitId: "c", head: new Uint8Array(), entries, index: { add: [], remove: [] } },
  ]);
});

const wanted = (seq: number): readonly string[] | null => (seq > 40 || seq % 3 === 0 ? null : [`text ${seq}`]);

describe("bodies", () => {
  it("are those of the entries, null for those that have none or are gone", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 45 })), async (seqs) => {
        const bodies = await readBodies(store, row, seqs, nothing);
        expect(seqs.map((seq) => bodies.get(seq))).toEqual(seqs.map(wanted));
      }),
    );
  });

  it("of neighbours come by one read, of others by their own", async () => {
    await readBodies(store, row, [12, 10, 11, 16, 30], nothing);
    expect(store.reads).toHaveLength(2);
  });

  it("that are still kept are not read", async () => {
    const bodies = await readBodies(store, row, [1, 2], (seq) => (seq === 1 ? ["kept"] : undefined));
    expect([bodies.get(1), bodies.get(2)]).toEqual([["kept"], ["text 2"]]);
    await readBodies(store, row, [1], () => ["kept"]);
    expect(store.reads).toHaveLength(1);
  });

  it("that are damaged are refused by row and entry", async () => {
    const entries = [{ seq: 1, kind: "a/b", ref: "r", dims: "", meta: "{}", at: 1, trace: "", body: Uint8Array.of(9) }];
    const other = "~/run/other" as RowId;
    const index = { add: [], remove: [] };
    await store.append([{ row: other, expect: 0, commitId: "c", head: new Uint8Array(), entries, index }]);
    await expect(readBodies(store, other, [1], nothing)).rejects.toThrow("entry 1 of row ~/run/other");
  });
});

describe("bodies that are wanted together", () => {
  it("are read together, each asker getting its own", async () => {
    const reader = new BodyReader(store);
    const found = await Promise.all([reader.read(row, [1, 2], nothing), reader.read(row, [4], nothing)]);
    expect(found.map((bodies, i) => (i === 0 ? [bodies.get(1), bodies.get(2)] : [bodies.get(4)]))).toEqual([
      [wanted(1), wanted(2)],
      [wanted(4)],
    ]);
    expect(store.reads).toHaveLength(1);
    await reader.read(row, [5], nothing);
    expect(store.reads).toHaveLength(2);
  });

  it("do not spoil each other when one is damaged", async () => {
    const entry = { seq: 41, kind: "a/b", ref: "r", dims: "", meta: "{}", at: 1, trace: "", body: Uint8Array.of(9) };
    const index = { add: [], remove: [] };
    await store.append([{ row, expect: 1, commitId: "d", head: new Uint8Array(), entries: [entry], index }]);
    const reader = new BodyReader(store);
    const [whole, damaged] = await Promise.allSettled([
      reader.read(row, [40], nothing),
      reader.read(row, [41], nothing),
    ]);
    expect(whole).toMatchObject({ status: "fulfilled" });
    expect(damaged).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining("entry 41") } });
  });

  it("are read a few hundred at a time, however many there are", async () => {
    const seqs = Array.from({ length: 1000 }, (_, i) => i + 1);
    await new BodyReader(store).read(row, seqs, nothing);
    expect(store.reads).toHaveLength(4);
  });
});
