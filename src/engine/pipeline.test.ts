import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  add,
  addWithin,
  counter,
  counterRules,
  decideOnText,
  label,
  pipelineOver,
  textOf,
  total,
} from "../../test/engine/counter-row.ts";
import { isSettled, ScriptedStore, settle } from "../../test/engine/scripted-store.ts";
import { TapeError } from "../errors.ts";
import type { StoreCapabilities } from "../store/store.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { PipelineOptions } from "./pipeline.ts";
import { plainCall } from "./row-slot.ts";

let memory: MemoryStore;
beforeEach(async () => {
  memory = new MemoryStore();
  await memory.open();
});
afterEach(async () => {
  await memory.close();
});

/** A pipeline over the store of the test; several see each other's writes, as servers do. */
function open(capabilities: Partial<StoreCapabilities> = {}, options: Partial<PipelineOptions> = {}, seed = 1) {
  const store = new ScriptedStore(memory, capabilities);
  const pipeline = pipelineOver(store, options, seed);
  const call = <T>(name: string, decide: Parameters<typeof pipeline.execute<never, never, T>>[1]): Promise<T> =>
    pipeline.execute(counter(name) as never, decide, plainCall);
  return { store, pipeline, call: call as <T>(name: string, decide: unknown) => Promise<T> };
}

const stored = async (name: string) => memory.read(counter(name).row);
const away = new TapeError("STORE_UNAVAILABLE", "the database is away");
const shared = { exclusive: false } as const;

describe("group commit", () => {
  it("sends what arrives together in one append, rows in order", async () => {
    const { store, call } = open();
    expect(await Promise.all([call("b", add(1)), call("a", add(2)), call("b", add(3))])).toEqual([1, 2, 4]);
    expect(store.batches.map((batch) => batch.map((append) => [append.row, append.entries.length]))).toEqual([
      [
        ["~/counter/a", 1],
        ["~/counter/b", 2],
      ],
    ]);
  });

  it("lets what arrives while an append is in flight share the next one", async () => {
    const { store, pipeline, call } = open();
    const held = store.hold();
    const first = call("a", add(1));
    await held.arrived;
    const others = [call("a", add(1)), call("b", add(1)), call("a", add(1)), call("c", label("x"))];
    await settle();
    expect(store.batches).toHaveLength(1);
    held.release();
    expect(await Promise.all([first, ...others])).toEqual([1, 2, 1, 3, null]);
    expect(store.batches.map((batch) => batch.length)).toEqual([1, 3]);
    expect(pipeline.stats()).toMatchObject({ batches: 2, commits: 4, entries: 4, conflicts: 0, pending: 0 });
  });

  it("has as many appends in flight as the store takes, never two with one row", async () => {
    const { store, call } = open({ concurrentAppends: 2 });
    const [one, two] = [store.hold(), store.hold()];
    const a = call("a", add(1));
    await one.arrived;
    const again = call("a", add(1));
    const b = call("b", add(1));
    expect((await two.arrived).map((append) => append.row)).toEqual(["~/counter/b"]);
    two.release();
    expect(await b).toBe(1);
    expect(await isSettled(again)).toBe(false);
    one.release();
    expect(await Promise.all([a, again])).toEqual([1, 2]);
  });

  it("sends no more rows at a time than the store takes", async () => {
    const { store, call } = open({ maxBatch: 2 });
    await Promise.all(["a", "b", "c", "d", "e"].map((name) => call(name, add(1))));
    expect(store.batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
  });

  it("sends large bodies in batches of some 8 MiB", async () => {
    const { store, call } = open();
    const text = "x".repeat(3 * 1024 * 1024);
    await Promise.all(["a", "b", "c", "d"].map((name) => call(name, add(1, text))));
    expect(store.batches.map((batch) => batch.length)).toEqual([2, 2]);
  });

  it("lets one row that cannot be written fail alone", async () => {
    const { pipeline, call } = open();
    const bad = { ...counter("bad"), rules: { ...counterRules, head: () => JSON.parse("{") as string } };
    const answers = await Promise.allSettled([pipeline.execute(bad, add(1), plainCall), call("good", add(1))]);
    expect(answers).toMatchObject([{ reason: { reason: "INTERNAL" } }, { value: 1 }]);
    expect(await stored("bad")).toBeNull();
  });
});

describe("answers", () => {
  it("wait until what they report is durable (R1)", async () => {
    const { store, call } = open();
    const held = store.hold();
    const answer = call("a", add(1));
    await held.arrived;
    expect(await isSettled(answer)).toBe(false);
    held.release();
    expect(await answer).toBe(1);
  });

  it("of reads wait for the writes that they have seen (R6)", async () => {
    const { store, call } = open();
    const held = store.hold();
    const write = call("a", add(1));
    await held.arrived;
    const read = call("a", total);
    expect(await isSettled(read)).toBe(false);
    held.release();
    expect(await Promise.all([write, read])).toEqual([1, 1]);
    expect(store.batches).toHaveLength(1);
  });

  it("that refuse wait for the writes that made them refuse", async () => {
    const { store, call } = open();
    const held = store.hold();
    const write = call("a", addWithin(3, 4));
    await held.arrived;
    const refused = call("a", addWithin(3, 4));
    expect(await isSettled(refused)).toBe(false);
    held.release();
    await expect(refused).rejects.toThrow("over 4");
    expect(await write).toBe(3);
  });

  it("never rest on a write that failed: a refusal is thought over", async () => {
    const { store, call } = open();
    store.nextAppends.push(() => Promise.reject(away));
    const write = call("a", addWithin(3, 4));
    const refused = call("a", addWithin(3, 4));
    await expect(write).rejects.toThrow("away");
    await expect(refused).rejects.toThrow("away");
    expect(await call("a", addWithin(3, 4))).toBe(3);
  });
});

describe("conflict", () => {
  it("drops the state, reads the row again and decides again (R6)", async () => {
    const [one, two] = [open(shared), open(shared, {}, 2)];
    expect(await one.call("a", add(1))).toBe(1);
    expect(await two.call("a", add(10))).toBe(11);
    expect(await Promise.all([one.call("a", add(1)), one.call("a", add(1))])).toEqual([12, 13]);
    expect(one.pipeline.stats()).toMatchObject({ conflicts: 1 });
    expect((await stored("a"))?.entries.map((entry) => entry.seq)).toEqual([1, 2, 3, 4]);
  });

  it("also decides again what was refused, and what came while the append was in flight", async () => {
    const [one, two] = [open(shared), open(shared, {}, 2)];
    await one.call("a", add(1));
    const held = one.store.hold();
    const write = one.call("a", addWithin(1, 5));
    await held.arrived;
    const waiting = [one.call("a", addWithin(1, 5)), one.call("a", addWithin(9, 5)), one.call("a", total)];
    await two.call("a", add(4));
    held.release();
    const answers = await Promise.allSettled([write, ...waiting]);
    expect(answers.map((answer) => answer.status)).toEqual(["rejected", "rejected", "rejected", "fulfilled"]);
    expect(await one.call("a", total)).toBe(5);
    expect((await stored("a"))?.entries).toHaveLength(2);
  });

  it("is found out by calls that only read, or refuse, from a stale cache", async () => {
    const [one, two] = [open(shared), open(shared, {}, 2)];
    await one.call("a", add(5));
    await two.call("a", add(-3));
    expect(await one.call("a", total)).toBe(2);
    await two.call("a", add(-1));
    expect(await one.call("a", addWithin(3, 5))).toBe(4);
    await two.call("a", add(-4));
    await expect(one.call("a", addWithin(6, 5))).rejects.toThrow("over 5");
  });

  it("without end is WRITE_CONFLICT", async () => {
    const { store, call } = open(shared);
    for (let i = 0; i < 101; i += 1) store.nextAppends.push(() => Promise.resolve([{ kind: "conflict", version: 1 }]));
    await expect(call("a", add(1))).rejects.toMatchObject({ reason: "WRITE_CONFLICT", ids: { row: "~/counter/a" } });
    expect(await call("a", add(1))).toBe(1);
  });

  it("costs a store that nobody else writes no reads at all", async () => {
    const { store, call } = open({ exclusive: true });
    await call("a", add(1));
    await Promise.all([call("a", total), call("a", add(1)), call("a", total)]);
    expect(store.reads).toHaveLength(1);
  });
});

describe("an append whose outcome is not known", () => {
  it("is found to have been committed, and answered once", async () => {
    const { store, pipeline, call } = open(shared);
    store.nextAppends.push(async (_batch, go) => {
      await go();
      return [{ kind: "unknown", cause: "connection lost" }];
    });
    expect(await call("a", add(1))).toBe(1);
    expect(await call("a", add(1))).toBe(2);
    expect((await stored("a"))?.entries).toHaveLength(2);
    expect(pipeline.stats()).toMatchObject({ unknownOutcomes: 1, commits: 2 });
  });

  it("is found not to have been, and sent again as it was", async () => {
    const { store, call } = open(shared);
    store.nextAppends.push(() => Promise.resolve([{ kind: "unknown", cause: "connection lost" }]));
    expect(await call("a", add(1))).toBe(1);
    expect(store.batches[1]).toEqual(store.batches[0]);
    expect((await stored("a"))?.entries).toHaveLength(1);
  });

  it("may arrive late, between the question and the second attempt: still written once", async () => {
    const { store, call } = open(shared);
    let late = (): Promise<unknown> => Promise.resolve();
    store.nextAppends.push((_batch, go) => {
      late = go;
      return Promise.resolve([{ kind: "unknown", cause: "connection lost" }]);
    });
    store.nextReads.push(
      (_row, go) => go(),
      async (_row, go) => {
        const found = await go();
        await late();
        return found;
      },
    );
    expect(await call("a", add(1))).toBe(1);
    expect((await stored("a"))?.entries).toHaveLength(1);
    expect(await call("a", add(1))).toBe(2);
  });

  it("that lost to another writer is decided again", async () => {
    const [one, two] = [open(shared), open(shared, {}, 2)];
    await one.call("a", add(1));
    one.store.nextAppends.push(async () => {
      await two.call("a", add(10));
      return [{ kind: "unknown", cause: "connection lost" }];
    });
    expect(await one.call("a", add(1))).toBe(12);
    expect((await stored("a"))?.entries).toHaveLength(3);
  });

  it("does not hold up the rows that it shared a batch with", async () => {
    const { store, call } = open(shared);
    store.nextAppends.push(async (_batch, go) => {
      const [, second = { kind: "unknown", cause: "" }] = await go();
      return [{ kind: "unknown", cause: "connection lost" }, second];
    });
    const asked = store.hold();
    store.nextReads.push(
      (_row, go) => go(),
      (_row, go) => go(),
      async (_row, go) => {
        await asked.arrived;
        return go();
      },
    );
    const [a, b] = [call("a", add(1)), call("b", add(1))];
    expect(await b).toBe(1);
    expect(await isSettled(a)).toBe(false);
    const next = call("c", add(1));
    await asked.arrived;
    asked.release();
    expect(await Promise.all([a, next])).toEqual([1, 1]);
  });
});

describe("a store that is away", () => {
  it("rejects what was to be written with the store's error, and the next call finds it back", async () => {
    const { store, call } = open();
    await call("a", add(1));
    store.nextAppends.push(() => Promise.reject(away));
    const answers = await Promise.allSettled([call("a", add(1)), call("b", add(1)), call("a", total)]);
    expect(answers.map((answer) => (answer.status === "rejected" ? (answer.reason as unknown) : answer.value))).toEqual(
      [away, away, away],
    );
    expect(await call("a", add(1))).toBe(2);
    expect(await call("b", total)).toBe(0);
  });

  it("rejects what came while the append was in flight, since it was decided on what did not happen", async () => {
    const { store, call } = open();
    const held = store.hold(() => Promise.reject(away));
    const first = call("a", add(1));
    await held.arrived;
    const calls = [first, call("a", add(1)), call("a", total), call("b", add(1))];
    held.release();
    const answers = await Promise.allSettled(calls);
    expect(answers.map((answer) => answer.status)).toEqual(["rejected", "rejected", "rejected", "fulfilled"]);
    expect(await call("a", add(1))).toBe(1);
  });

  it("rejects calls on a row that cannot be loaded, and loads it for the next", async () => {
    const { store, call } = open();
    store.nextReads.push(() => Promise.reject(away));
    const answers = await Promise.allSettled([call("a", add(1)), call("a", total)]);
    expect(answers.map((answer) => answer.status)).toEqual(["rejected", "rejected"]);
    expect(await call("a", add(1))).toBe(1);
  });

  it("rejects a read whose row cannot be checked", async () => {
    const { store, call } = open(shared);
    await call("a", add(1));
    store.nextReads.push(() => Promise.reject(away));
    await expect(call("a", total)).rejects.toBe(away);
    expect(await call("a", total)).toBe(1);
  });
});

describe("bodies", () => {
  it("are read for an answer after it is decided, and not when they have just been written", async () => {
    const { store, call } = open();
    await call("a", add(1, "text"));
    expect(await call("a", textOf(1))).toBe("text");
    expect(await call("a", textOf(7))).toBe("");
    expect(store.reads).toHaveLength(2);
  });

  it("are fetched for a decision that needs them", async () => {
    const { call } = open();
    const other = open({}, {}, 2);
    await call("a", add(1, "text"));
    expect(await call("a", decideOnText(1))).toBe("text");
    expect(await other.call("a", decideOnText(1))).toBe("text");
    other.store.nextReads.push(() => Promise.reject(away));
    await expect(other.call("a", decideOnText(1))).rejects.toBe(away);
  });

  it("of an entry that is still in flight are waited for", async () => {
    const { store, call } = open();
    const text = "x".repeat(70_000);
    const held = store.hold();
    const write = call("a", add(1, text));
    await held.arrived;
    const decided = call<string>("a", decideOnText(1));
    await settle();
    held.release();
    await write;
    expect((await decided).length).toBe(text.length);
  });
});

describe("the cache", () => {
  it("keeps rows at rest up to its size in bytes, those used last", async () => {
    const { pipeline, call } = open({}, { cacheBytes: 5000 });
    for (const name of ["a", "b", "c"]) await call(name, add(1));
    expect(pipeline.stats()).toMatchObject({ loads: 3, cachedRows: 2 });
    expect(pipeline.stats().cacheBytes).toBeLessThanOrEqual(5000);
    await call("c", total);
    await call("b", total);
    expect(pipeline.stats().loads).toBe(3);
    expect(await call("a", total)).toBe(1);
    expect(pipeline.stats().loads).toBe(4);
  });

  it("of no bytes keeps nothing, and all goes on", async () => {
    const { pipeline, call } = open({}, { cacheBytes: 1 });
    expect(await Promise.all([call("a", add(1)), call("a", add(1))])).toEqual([1, 2]);
    expect(await call("a", add(1))).toBe(3);
    expect(pipeline.stats()).toMatchObject({ cachedRows: 0, loads: 2 });
  });

  it("has a damaged row refused by its name, and no other", async () => {
    const { call } = open();
    const head = new TextEncoder().encode("{");
    const index = { add: [], remove: [] };
    await memory.append([{ row: counter("bad").row, expect: 0, commitId: "c", head, entries: [], index }]);
    const entry = { seq: 1, kind: "counter/added", ref: "c", dims: "", meta: "{", at: 1, trace: "" };
    const good = new TextEncoder().encode('{"format":1,"label":""}');
    await memory.append([{ row: counter("torn").row, expect: 0, commitId: "c", head: good, entries: [entry], index }]);
    await expect(call("bad", total)).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
    await expect(call("bad", total)).rejects.toThrow("row ~/counter/bad");
    await expect(call("torn", total)).rejects.toThrow("row ~/counter/torn cannot be read: its entries are damaged");
    expect(await call("good", add(1))).toBe(1);
  });
});

describe("index keys", () => {
  it("are added and removed as the row changes", async () => {
    const { store, call } = open();
    for (const by of [1, 2, 0]) await call("a", add(by));
    const key = (text: string) => ({ index: "totals", key: text });
    expect(store.batches.map(([append]) => append?.index)).toEqual([
      { add: [key("0001")], remove: [] },
      { add: [key("0003")], remove: [key("0001")] },
      { add: [], remove: [] },
    ]);
  });

  it("that a dead writer has left are removed by a commit, unless the row wants them", async () => {
    const { store, pipeline, call } = open({ atomicIndex: false });
    await call("a", add(1));
    await pipeline.dropStaleKey(counter("a"), { index: "totals", key: "0009" });
    expect(store.batches[1]?.[0]).toMatchObject({ entries: [], index: { add: [], remove: [{ key: "0009" }] } });
    await pipeline.dropStaleKey(counter("a"), { index: "totals", key: "0001" });
    await pipeline.dropStaleKey(counter("nobody"), { index: "totals", key: "0001" });
    expect(store.batches).toHaveLength(2);
  });
});

describe("too many calls", () => {
  it("are OVERLOADED at once, and taken again when others have gone", async () => {
    const { store, call } = open({}, { maxPending: 2 });
    const held = store.hold();
    const first = [call("a", add(1)), call("a", add(1))];
    await expect(call("b", add(1))).rejects.toMatchObject({ reason: "OVERLOADED" });
    held.release();
    expect(await Promise.all(first)).toEqual([1, 2]);
    expect(await call("b", add(1))).toBe(1);
  });
});

describe("closing", () => {
  it("refuses new calls and waits for those under way", async () => {
    const { store, pipeline, call } = open();
    const held = store.hold();
    const write = call("a", add(1));
    const closed = pipeline.close();
    await expect(call("a", add(1))).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
    await held.arrived;
    expect(await isSettled(closed)).toBe(false);
    held.release();
    expect(await write).toBe(1);
    await closed;
    expect((await stored("a"))?.entries).toHaveLength(1);
  });

  it("is done at once when nothing is under way", async () => {
    await expect(open().pipeline.close()).resolves.toBeUndefined();
  });
});

describe("whoever waits for commits", () => {
  it("is told of the row and of the keys it got, after the answer", async () => {
    const told: unknown[] = [];
    const { call } = open({}, { onCommit: (row, keys) => told.push([row, keys.map(({ key }) => key)]) });
    await call("a", add(1)).then(() => told.push("answer"));
    await call("a", total);
    expect(told).toEqual([["~/counter/a", ["0001"]], "answer"]);
  });
});
