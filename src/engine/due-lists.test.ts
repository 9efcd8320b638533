import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineScene, newEffect, newRun, type EngineScene } from "../../test/engine/engine-scene.ts";
import { indexName, partitionOf, runRow } from "../codec/row-id.ts";
import { timeKey } from "../codec/time-key.ts";
import type { Tape } from "../model/tape.ts";
import { seededRandom } from "../testing/random.ts";

let scene: EngineScene;
beforeEach(async () => {
  scene = await engineScene();
});
afterEach(async () => {
  await scene.close();
});

/** An effect that is due again at a time, after a failed attempt. */
async function retryAt(tape: Tape, runId: string, key: string, ms: number): Promise<void> {
  await newEffect(tape, runId, key);
  await tape.claimEffectDispatch({ runId, idempotencyKey: key, claimer: "d" });
  await tape.recordDispatchAttempt({ runId, idempotencyKey: key, error: "", nextDispatchAtMs: ms });
}

describe("a list of what is due", () => {
  it("is in order over all runs, though each run has one key for all it has", async () => {
    const { tape } = scene.open();
    const random = seededRandom(3);
    const start = scene.clock.now();
    const all: { key: string; due: number }[] = [];
    for (let i = 0; i < 150; i += 1) {
      const runId = await newRun(tape);
      for (let effect = 0; effect <= random.int(3); effect += 1) {
        const due = start + 1000 + random.int(5000);
        all.push({ key: `${i}/${effect}`, due });
        await retryAt(tape, runId, `${i}/${effect}`, due);
      }
    }
    const wanted = (untilMs: number) =>
      all
        .map(({ due }) => due)
        .filter((due) => due <= untilMs)
        .toSorted((a, b) => a - b);
    for (const [limit, untilMs] of [
      [1, start + 9000],
      [7, start + 9000],
      [64, start + 9000],
      [100, start + 3000],
      [1000, start + 9000],
      [1000, start + 1000],
    ] as const) {
      const { effects } = await tape.listEffectsToDispatch({ limit, nowMs: untilMs });
      expect(effects.map((effect) => effect.nextDispatchAtMs)).toEqual(wanted(untilMs).slice(0, limit));
      expect(new Set(effects.map((effect) => effect.idempotencyKey)).size).toBe(effects.length);
    }
  });

  it("is in order though the keys of the runs are older than what they have left", async () => {
    const { tape } = scene.open();
    const runs: string[] = [];
    for (let i = 0; i < 100; i += 1) {
      const runId = await newRun(tape);
      runs.push(runId);
      await tape.beginEffect({ runId, decisionIndex: 0, toolName: "t", customKey: "first" });
      await tape.completeEffect({ runId, idempotencyKey: "first", status: "CONFIRMED" });
      await scene.clock.advance(10);
    }
    // The other way round: the run with the oldest key has the youngest effect.
    for (const runId of runs.toReversed()) {
      await tape.beginEffect({ runId, decisionIndex: 0, toolName: "t", customKey: "second" });
      await scene.clock.advance(10);
    }
    for (const limit of [1, 5, 80]) {
      const { effects } = await tape.listPendingEffects({ limit });
      expect(effects.map((effect) => effect.runId)).toEqual(runs.toReversed().slice(0, limit));
    }
  });

  it("goes on without a run that cannot be read, and says so when there is no other", async () => {
    const { tape } = scene.open();
    const row = runRow(partitionOf(""), "damaged");
    const head = new TextEncoder().encode("{");
    const index = { add: [{ index: indexName(partitionOf(""), "dispatch"), key: timeKey(1) }], remove: [] };
    await scene.memory.append([{ row, expect: 0, commitId: "c", head, entries: [], index }]);
    await expect(tape.listEffectsToDispatch({})).rejects.toMatchObject({
      reason: "STORE_CORRUPT",
      message: expect.stringContaining(row) as string,
    });
    const runId = await newRun(tape);
    await newEffect(tape, runId, "k");
    expect((await tape.listEffectsToDispatch({ limit: 1 })).effects).toMatchObject([{ runId }]);
  });

  it("has nothing that is not due, nor what somebody has taken meanwhile", async () => {
    const { tape } = scene.open();
    const runId = await newRun(tape);
    await retryAt(tape, runId, "later", scene.clock.now() + 1000);
    expect((await tape.listEffectsToDispatch()).effects).toEqual([]);
    await scene.clock.advance(1000);
    expect((await tape.listEffectsToDispatch()).effects).toHaveLength(1);
    await tape.claimEffectDispatch({ runId, idempotencyKey: "later", claimer: "d" });
    expect((await tape.listEffectsToDispatch()).effects).toEqual([]);
  });

  it("has the items of a run once, though a writer that died left a second key of it", async () => {
    const { store, tape } = scene.open({}, { atomicIndex: false, exclusive: false });
    const runId = await newRun(tape);
    await newEffect(tape, runId, "e");
    const index = indexName(partitionOf(""), "dispatch");
    await leaveKey(index, runId, 5);
    expect((await tape.listEffectsToDispatch()).effects).toHaveLength(1);
    expect(store.batches).toHaveLength(2);
  });

  it("removes a key whose run has nothing, where the store may have left one over", async () => {
    const { store, tape } = scene.open({}, { atomicIndex: false, exclusive: false });
    const runId = await newRun(tape);
    const index = indexName(partitionOf(""), "dispatch");
    await leaveKey(index, runId, 5);
    expect((await tape.listEffectsToDispatch()).effects).toEqual([]);
    expect(store.batches.at(-1)?.[0]?.index.remove).toEqual([{ index, key: timeKey(5) }]);
    expect((await scene.memory.scan(index, { limit: 10 })).items).toEqual([]);
    expect(await tape.getRun({ runId })).toMatchObject({ status: "RUNNING", seqCursor: 1 });
  });

  it("moves a run to its place in the list of effects to reconcile when it has been in a wrong one for long", async () => {
    const { store, tape } = scene.open();
    const runId = await newRun(tape);
    const begin = { runId, decisionIndex: 0, toolName: "t" } as const;
    await tape.beginEffect({ ...begin, customKey: "one" });
    await tape.completeEffect({ runId, idempotencyKey: "one", status: "CONFIRMED" });
    expect((await tape.listPendingEffects()).effects).toEqual([]);
    const before = store.batches.length;
    await scene.clock.advance(60_000);
    expect((await tape.listPendingEffects()).effects).toEqual([]);
    expect(store.batches.length).toBe(before + 1);
    expect((await scene.memory.scan(indexName(partitionOf(""), "reconcile"), { limit: 10 })).items).toEqual([]);
    await tape.beginEffect({ ...begin, customKey: "two" });
    expect((await tape.listPendingEffects()).effects).toHaveLength(1);
  });

  /** Puts a key into the index behind the engine's back, as a writer does that dies before its commit. */
  async function leaveKey(index: string, runId: string, ms: number): Promise<void> {
    const row = runRow(partitionOf(""), runId);
    const slice = await scene.memory.read(row, { limit: 0 });
    const { version = 0, head = new Uint8Array() } = slice ?? {};
    const add = [{ index, key: timeKey(ms) }];
    await scene.memory.append([
      { row, expect: version, commitId: "dead", head, entries: [], index: { add, remove: [] } },
    ]);
  }
});
