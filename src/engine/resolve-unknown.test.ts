import { beforeEach, describe, expect, it } from "vitest";
import { ScriptedStore, settle } from "../../test/engine/scripted-store.ts";
import { TapeError } from "../errors.ts";
import type { RowId } from "../model/row.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Append } from "../store/store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { resolveUnknown } from "./resolve-unknown.ts";

const row = "~/run/r" as RowId;
const head = new TextEncoder().encode('{"format":1}');
const entry = (seq: number) => ({ seq, kind: "a/b", ref: "r", dims: "", meta: "{}", at: 1, trace: "" });
const append = (version: number, commitId: string, seqs: readonly number[] = [version + 1]): Append => ({
  row,
  expect: version,
  commitId,
  head,
  entries: seqs.map(entry),
  index: { add: [], remove: [] },
});
const away = new TapeError("STORE_UNAVAILABLE", "the database is away");

let memory: MemoryStore;
let store: ScriptedStore;
let clock: FakeClock;
beforeEach(async () => {
  memory = new MemoryStore();
  await memory.open();
  store = new ScriptedStore(memory);
  clock = new FakeClock();
});
const resolve = (lost: Append) => resolveUnknown(store, lost, clock, "connection lost");
const commits = async () => (await memory.read(row))?.entries.map((found) => [found.seq, found.commitId]);

describe("an append whose answer was lost", () => {
  it("was committed, and nothing came after it", async () => {
    await memory.append([append(0, "mine")]);
    expect(await resolve(append(0, "mine"))).toEqual({ kind: "committed", position: 1 });
    expect(store.batches).toHaveLength(0);
  });

  it("was committed, and others came after it: its entries say so", async () => {
    await memory.append([append(0, "mine", [1, 2])]);
    await memory.append([append(1, "theirs", [3])]);
    expect(await resolve(append(0, "mine", [1, 2]))).toEqual({ kind: "committed", position: 2 });
  });

  it("was committed without entries, and nothing came after it: the row says so", async () => {
    await memory.append([append(0, "first")]);
    await memory.append([append(1, "mine", [])]);
    expect(await resolve(append(1, "mine", []))).toEqual({ kind: "committed", position: 0 });
  });

  it("had no entries, and several others are there: nobody knows, and nobody guesses", async () => {
    await memory.append([append(0, "first")]);
    await memory.append([append(1, "mine", [])]);
    await memory.append([append(2, "theirs", [])]);
    const refused = { kind: "refused", error: { reason: "STORE_UNAVAILABLE", ids: { row } } };
    expect(await resolve(append(1, "mine", []))).toMatchObject(refused);
    expect(store.batches).toHaveLength(0);
  });

  it("had no entries, and lost to the one other that is there", async () => {
    await memory.append([append(0, "theirs")]);
    expect(await resolve(append(0, "mine", []))).toEqual({ kind: "conflict", version: 1 });
  });

  it("lost to another", async () => {
    await memory.append([append(0, "theirs")]);
    expect(await resolve(append(0, "mine"))).toEqual({ kind: "conflict", version: 1 });
    expect(await commits()).toEqual([[1, "theirs"]]);
  });

  it("did not arrive: it is sent again, with the same commit id", async () => {
    expect(await resolve(append(0, "mine"))).toEqual({ kind: "committed", position: 1 });
    expect(await commits()).toEqual([[1, "mine"]]);
  });

  it("arrives after the row was looked at: the second attempt fails, and the row says why", async () => {
    store.nextReads.push(async (_row, go) => {
      const found = await go();
      await memory.append([append(0, "mine")]);
      return found;
    });
    expect(await resolve(append(0, "mine"))).toEqual({ kind: "committed", position: 1 });
    expect(await commits()).toEqual([[1, "mine"]]);
  });

  it("has a second attempt whose answer is lost too", async () => {
    store.nextAppends.push(async (_batch, go) => {
      await go();
      return [{ kind: "unknown", cause: "connection lost again" }];
    });
    expect(await resolve(append(0, "mine"))).toEqual({ kind: "committed", position: 1 });
    expect(await commits()).toEqual([[1, "mine"]]);
  });

  it("is asked about until the store is back, more and more seldom", async () => {
    const asked: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      store.nextReads.push(() => {
        asked.push(clock.now());
        return Promise.reject(away);
      });
    }
    const start = clock.now();
    const resolved = resolve(append(0, "mine"));
    await settle();
    await clock.advance(10_000);
    expect(await resolved).toEqual({ kind: "committed", position: 1 });
    expect(asked.map((at) => at - start)).toEqual([0, 20, 60, 140, 300, 620, 1260, 2260]);
  });

  it("of a store that stays away is STORE_UNAVAILABLE, with the last cause", async () => {
    for (let i = 0; i < 20; i += 1) store.nextReads.push(() => Promise.reject(away));
    const resolved = resolve(append(0, "mine")).catch((error: unknown) => error);
    await settle();
    await clock.advance(60_000);
    expect(await resolved).toMatchObject({ reason: "STORE_UNAVAILABLE", cause: away });
    expect(clock.sleeping).toBe(0);
  });
});
