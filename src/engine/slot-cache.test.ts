import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { add, counter, total } from "../../test/engine/counter-row.ts";
import { counterScene, type CounterScene } from "../../test/engine/counter-scene.ts";
import { isSettled } from "../../test/engine/scripted-store.ts";

let scene: CounterScene;
beforeEach(async () => {
  scene = await counterScene();
});
afterEach(async () => {
  await scene.memory.close();
});

describe("the cache", () => {
  it("keeps rows at rest up to its size in bytes, those used last", async () => {
    const { pipeline, call } = scene.open({}, { cacheBytes: 5000 });
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
    const { pipeline, call } = scene.open({}, { cacheBytes: 1 });
    expect(await Promise.all([call("a", add(1)), call("a", add(1))])).toEqual([1, 2]);
    expect(await call("a", add(1))).toBe(3);
    expect(pipeline.stats()).toMatchObject({ cachedRows: 0, loads: 2 });
  });

  it("has a damaged row refused by its name, and no other", async () => {
    const { call } = scene.open();
    const head = new TextEncoder().encode("{");
    const index = { add: [], remove: [] };
    await scene.memory.append([{ row: counter("bad").row, expect: 0, commitId: "c", head, entries: [], index }]);
    const entry = { seq: 1, kind: "counter/added", ref: "c", dims: "", meta: "{", at: 1, trace: "" };
    const good = new TextEncoder().encode('{"format":1,"kind":"counter","label":""}');
    await scene.memory.append([
      { row: counter("torn").row, expect: 0, commitId: "c", head: good, entries: [entry], index },
    ]);
    await expect(call("bad", total)).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
    await expect(call("bad", total)).rejects.toThrow("row ~/counter/bad");
    await expect(call("torn", total)).rejects.toThrow("row ~/counter/torn cannot be read: its entries are damaged");
    expect(await call("good", add(1))).toBe(1);
  });

  it("has a row refused that has lost an entry", async () => {
    const { call } = scene.open();
    await call("a", add(1));
    const { row } = counter("a");
    const first = await scene.memory.read(row);
    const head = first?.head ?? new Uint8Array();
    const entry = { seq: 2, kind: "counter/added", ref: "c", dims: "", meta: '{"by":1}', at: 1, trace: "" };
    const index = { add: [], remove: [] };
    await scene.memory.append([{ row, expect: 1, commitId: "c", head, entries: [entry], trimBelow: 2, index }]);
    await expect(scene.open().call("a", total)).rejects.toThrow(
      "row ~/counter/a cannot be read: its entry 1 is missing",
    );
  });
});

describe("too many calls", () => {
  it("are OVERLOADED at once, and taken again when others have gone", async () => {
    const { store, call } = scene.open({}, { maxPending: 2 });
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
    const { store, pipeline, call } = scene.open();
    const held = store.hold();
    const write = call("a", add(1));
    const closed = pipeline.close();
    await expect(call("a", add(1))).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
    await held.arrived;
    expect(await isSettled(closed)).toBe(false);
    held.release();
    expect(await write).toBe(1);
    await closed;
    expect((await scene.stored("a"))?.entries).toHaveLength(1);
  });

  it("is done at once when nothing is under way", async () => {
    await expect(scene.open().pipeline.close()).resolves.toBeUndefined();
  });
});
