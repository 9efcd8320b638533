import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineScene, newEffect, newRun, type EngineScene } from "../../test/engine/engine-scene.ts";
import { settle } from "../../test/engine/scripted-store.ts";
import { emptyHead } from "../codec/head.ts";
import { choreRow, partitionOf, runRow } from "../codec/row-id.ts";
import { TapeError } from "../errors.ts";
import type { IndexKey, RowId, StoredKey } from "../store/store.ts";
import { defaultHousekeeping } from "./housekeeping.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const { firstAfterMs, graceMs } = defaultHousekeeping;
const local = partitionOf("");
const tidy = { housekeeping: true } as const;
/** A store that may leave keys behind, and which others write too. */
const loose = { atomicIndex: false, exclusive: false };

let scene: EngineScene;
beforeEach(async () => {
  scene = await engineScene();
});
afterEach(async () => {
  await scene.close();
});

/** Every index key of the store, or of one row. */
async function keysOf(row?: RowId): Promise<readonly string[]> {
  const { keys = [] } = await scene.memory.sweep({ limit: 100_000 });
  const wanted = (key: StoredKey): boolean => row === undefined || key.row === row;
  return keys.filter(wanted).map(({ index, key }) => `${index} ${key}`);
}

let written = 0;

/** Changes the keys of a row behind the engine's back, as a writer does that dies between index and commit. */
async function rekey(row: RowId, index: { add?: readonly IndexKey[]; remove?: readonly IndexKey[] }): Promise<void> {
  written += 1;
  const slice = await scene.memory.read(row, { limit: 0 });
  if (slice === null) throw new Error(`no row ${row}`);
  const { version, head } = slice;
  const changes = { add: index.add ?? [], remove: index.remove ?? [] };
  const commitId = `by hand ${written}`;
  await scene.memory.append([{ row, expect: version, commitId, head, entries: [], index: changes }]);
}

const stale = (index: string): IndexKey => ({ index: `${local}/${index}`, key: "0000000000000001" });

/** Lets time go on in steps, with turns of the event loop for what wakes up. */
async function pass(ms: number, stepMs = minuteMs): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    await scene.clock.advance(Math.min(left, stepMs));
    await settle(20);
  }
}

describe("stale index keys", () => {
  it("go, also those that nobody asks for, and no others", async () => {
    const { tape, engine } = scene.open(tidy, loose);
    const runId = await newRun(tape);
    await newEffect(tape, runId, "mail");
    const row = runRow(local, runId);
    const before = await keysOf();
    const left = ["dispatch/nobody", "compensate", "live/a/b/c", "runs/status/FAILED", "task-claims/gone"].map(stale);
    await rekey(row, { add: left });
    expect(await keysOf()).toHaveLength(before.length + left.length);
    await pass(firstAfterMs + minuteMs);
    expect(await keysOf()).toEqual(before);
    expect(engine.stats()).toMatchObject({ staleKeys: left.length, housekeepingFailures: 0 });
    expect(await tape.getRun({ runId })).toMatchObject({ status: "RUNNING" });
  });

  it("of a row that was never made go for good: whoever makes it afterwards adds its keys anew", async () => {
    const { tape, store } = scene.open(tidy, loose);
    const other = scene.open({}, loose);
    const identity = { appName: "app", invocationId: "one" };
    const held = other.store.hold();
    const begun = other.tape.beginRun(identity);
    const [append] = await held.arrived;
    if (append === undefined) throw new Error("nothing was sent");
    // Its keys are there, its commit is not: the memory store has both at once, so the row is made up to be absent.
    const sweep = store.sweep.bind(store);
    store.sweep = async (options) => {
      const { keys = [], ...step } = await sweep(options);
      return { ...step, keys: [...keys, ...append.index.add.map((key) => ({ ...key, row: append.row }))] };
    };
    await pass(firstAfterMs + minuteMs);
    expect((await scene.memory.read(append.row))?.head).toEqual(emptyHead);
    expect(await keysOf(append.row)).toEqual([]);
    await expect(tape.getRun({ runId: append.row.slice(append.row.lastIndexOf("/") + 1) })).rejects.toMatchObject({
      reason: "RUN_NOT_FOUND",
    });
    held.release();
    const { runId, resumed } = await begun;
    expect(resumed).toBe(false);
    expect(runRow(local, runId)).toBe(append.row);
    expect(await keysOf(append.row)).toHaveLength(append.index.add.length);
    expect((await tape.inspect.listRuns()).runs).toHaveLength(1);
  });

  it("are left alone while an append that they may be for is under way", async () => {
    const { tape, store, engine } = scene.open(tidy, loose);
    const runId = await newRun(tape);
    const row = runRow(local, runId);
    const waiting = { index: `${local}/runs/status/TERMINAL`, key: "not yet" };
    const sweep = store.sweep.bind(store);
    store.sweep = async (options) => {
      const { keys = [], ...step } = await sweep(options);
      return { ...step, keys: [...keys, { ...waiting, row }] };
    };
    await scene.clock.advance(firstAfterMs);
    await settle(20);
    const { version } = (await scene.memory.read(row)) ?? { version: 0 };
    await pass(graceMs - 1000, 1000);
    expect((await scene.memory.read(row))?.version).toBe(version);
    await pass(2000, 1000);
    // Then the row moves on, whatever was under way.
    expect((await scene.memory.read(row))?.version).toBe(version + 1);
    expect(engine.stats().staleKeys).toBe(1);
  });

  it("of rows that cannot be read, or of kinds that are not known, stay and keep no other", async () => {
    const { tape, engine } = scene.open(tidy, loose);
    const [bad, good] = [runRow(local, await newRun(tape)), runRow(local, await newRun(tape))];
    const unknown = `${local}/novelty/one` as RowId;
    const index = { add: [stale("compensate")], remove: [] };
    const head = Buffer.from('{"format":1}');
    await scene.memory.append([{ row: unknown, expect: 0, commitId: "c", head, entries: [], index }]);
    await scene.memory.append([{ row: bad, expect: 1, commitId: "c", head: Buffer.from("{"), entries: [], index }]);
    await rekey(good, index);
    await pass(firstAfterMs + minuteMs);
    expect(await keysOf(unknown)).toHaveLength(1);
    expect((await keysOf(bad)).length).toBeGreaterThan(1);
    expect(await keysOf(good)).not.toContain(`${local}/compensate 0000000000000001`);
    expect(engine.stats().housekeepingFailures).toBeGreaterThan(0);
  });
});

describe("the sweep", () => {
  it("is done in small steps, once a week, by one server, and goes on where another died", async () => {
    const steps: (string | undefined)[] = [];
    const open = () => {
      const opened = scene.open(tidy, loose);
      opened.store.sweep = async ({ after }) => {
        steps.push(after);
        const next = String(Number(after ?? 0) + 1);
        if (after === "40") return { removed: 0 };
        if (after === "20" && steps.length < 30) throw new Error("the store is away");
        return { removed: 1, next };
      };
      return opened;
    };
    const { engine } = open();
    await scene.clock.advance(firstAfterMs);
    await pass(2000, 20);
    expect(steps).toHaveLength(21);
    await engine.close();
    const { engine: second } = open();
    open();
    await pass(firstAfterMs + minuteMs);
    // Where it was when it was given up, not from the start.
    expect(steps[21]).toBe("20");
    for (let tries = 0; steps.at(-1) !== "40" && tries < 20; tries += 1) await pass(minuteMs);
    const done = steps.length;
    expect(steps.filter((step) => step === undefined)).toHaveLength(1);
    await pass(dayMs, dayMs / 4);
    expect(steps).toHaveLength(done);
    await pass(7 * dayMs, dayMs / 2);
    expect(steps.filter((step) => step === undefined)).toHaveLength(2);
    expect(second.stats().sweptLeftovers).toBeGreaterThanOrEqual(0);
  });

  it("costs a server that lives shortly nothing", async () => {
    const { engine, store } = scene.open(tidy);
    await pass(firstAfterMs - minuteMs);
    await engine.close();
    expect(store.batches).toEqual([]);
    expect(store.reads).toEqual([]);
  });
});

describe("runs from before there were lists", () => {
  /** Three of them, of which the second one has FAILED. */
  async function withoutLists(): Promise<readonly string[]> {
    const old = scene.open();
    const runs = [await newRun(old.tape), await newRun(old.tape), await newRun(old.tape)];
    await old.tape.endRun({ runId: runs[1] ?? "", status: "FAILED" });
    await old.engine.close();
    keysBefore = await keysOf();
    for (const runId of runs) {
      const row = runRow(local, runId);
      const { keys = [] } = await scene.memory.sweep({ limit: 1000 });
      const isList = ({ index }: StoredKey): boolean => index.startsWith(`${local}/runs`);
      await rekey(row, { remove: keys.filter((key) => key.row === row && isList(key)) });
    }
    return runs;
  }
  let keysBefore: Awaited<ReturnType<typeof keysOf>>;

  it("are listed, once the journal has been looked through, which is done once for all", async () => {
    const runs = await withoutLists();
    const { tape, engine, store } = scene.open(tidy);
    expect((await tape.inspect.listRuns()).runs).toEqual([]);
    await pass(firstAfterMs + minuteMs);
    expect((await tape.inspect.listRuns()).runs.map(({ runId }) => runId).toSorted()).toEqual(runs.toSorted());
    expect((await tape.inspect.listRuns({ statuses: ["FAILED"] })).runs).toHaveLength(1);
    expect(await keysOf()).toEqual(keysBefore);
    expect(engine.stats().reindexedRows).toBe(3);
    const batches = store.batches.length;
    await scene.memory.read(choreRow("index-1"));
    scene.open(tidy);
    await pass(5 * firstAfterMs);
    expect(store.batches).toHaveLength(batches);
  });

  it("are listed although the store was away when one of them was looked at: once for all is when all are done", async () => {
    const runs = await withoutLists();
    const { engine, store } = scene.open(tidy);
    const read = store.read.bind(store);
    let isAway = true;
    store.read = async (row, options) => {
      if (!isAway || row !== runRow(local, runs[1] ?? "")) return read(row, options);
      isAway = false;
      throw new TapeError("STORE_UNAVAILABLE", "the store is away");
    };
    await pass(firstAfterMs + minuteMs);
    expect(isAway).toBe(false);
    expect(await keysOf()).toEqual(keysBefore);
    expect(engine.stats().housekeepingFailures).toBe(0);
  });
});
