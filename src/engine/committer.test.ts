import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { add, counter, counterRules, label, total } from "../../test/engine/counter-row.ts";
import { counterScene, type CounterScene } from "../../test/engine/counter-scene.ts";
import { isSettled, settle } from "../../test/engine/scripted-store.ts";
import { maxEntries } from "../store/store.ts";
import { plainCall } from "./row-slot.ts";

let scene: CounterScene;
beforeEach(async () => {
  scene = await counterScene();
});
afterEach(async () => {
  await scene.memory.close();
});

describe("group commit", () => {
  it("sends what arrives together in one append, rows in order", async () => {
    const { store, call } = scene.open();
    expect(await Promise.all([call("b", add(1)), call("a", add(2)), call("b", add(3))])).toEqual([1, 2, 4]);
    expect(store.batches.map((batch) => batch.map((append) => [append.row, append.entries.length]))).toEqual([
      [
        ["~/counter/a", 1],
        ["~/counter/b", 2],
      ],
    ]);
  });

  it("lets what arrives while an append is in flight share the next one", async () => {
    const { store, pipeline, call } = scene.open();
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
    const { store, call } = scene.open({ concurrentAppends: 2 });
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
    const { store, call } = scene.open({ maxBatch: 2 });
    await Promise.all(["a", "b", "c", "d", "e"].map((name) => call(name, add(1))));
    expect(store.batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
  });

  it("sends large bodies in batches of some 8 MiB", async () => {
    const { store, call } = scene.open();
    const text = "x".repeat(3 * 1024 * 1024);
    await Promise.all(["a", "b", "c", "d"].map((name) => call(name, add(1, text))));
    expect(store.batches.map((batch) => batch.length)).toEqual([2, 2]);
  });

  it("gives no append more entries than it may have, however many calls wait", async () => {
    const { store, call } = scene.open({}, { maxPending: 100_000 });
    const held = store.hold();
    const first = call("a", add(1));
    await held.arrived;
    const many = Array.from({ length: 2 * maxEntries }, () => call("a", add(1)));
    await settle();
    held.release();
    const totals = await Promise.all([first, ...many]);
    expect(totals.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2 * maxEntries + 1 }, (_, i) => i + 1));
    const sizes = store.batches.flatMap((batch) => batch.map((append) => append.entries.length));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxEntries);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2 * maxEntries + 1);
  });

  it("lets one row that cannot be written fail alone", async () => {
    const { pipeline, call } = scene.open();
    const bad = { ...counter("bad"), rules: { ...counterRules, head: () => JSON.parse("{") as string } };
    const answers = await Promise.allSettled([pipeline.execute(bad, add(1), plainCall), call("good", add(1))]);
    expect(answers).toMatchObject([{ reason: { reason: "INTERNAL" } }, { value: 1 }]);
    expect(await scene.stored("bad")).toBeNull();
  });
});

describe("index keys", () => {
  it("are added and removed as the row changes", async () => {
    const { store, call } = scene.open();
    for (const by of [1, 2, 0]) await call("a", add(by));
    const key = (text: string) => ({ index: "totals", key: text });
    expect(store.batches.map(([append]) => append?.index)).toEqual([
      { add: [key("0001")], remove: [] },
      { add: [key("0003")], remove: [key("0001")] },
      { add: [], remove: [] },
    ]);
  });

  it("that a dead writer has left are removed by a commit, unless the row wants them", async () => {
    const { store, pipeline, call } = scene.open({ atomicIndex: false });
    await call("a", add(1));
    await pipeline.dropStaleKey(counter("a"), { index: "totals", key: "0009" });
    expect(store.batches[1]?.[0]).toMatchObject({ entries: [], index: { add: [], remove: [{ key: "0009" }] } });
    await pipeline.dropStaleKey(counter("a"), { index: "totals", key: "0001" });
    await pipeline.dropStaleKey(counter("nobody"), { index: "totals", key: "0001" });
    expect(store.batches).toHaveLength(2);
  });
});

describe("whoever waits for commits", () => {
  it("is told of the row and of the keys it got, after the answer", async () => {
    const told: unknown[] = [];
    const { call } = scene.open({}, { onCommit: (row, keys) => told.push([row, keys.map(({ key }) => key)]) });
    await call("a", add(1)).then(() => told.push("answer"));
    await call("a", total);
    expect(told).toEqual([["~/counter/a", ["0001"]], "answer"]);
  });
});
