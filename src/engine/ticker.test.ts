import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineScene, newEffect, newRun, type EngineScene } from "../../test/engine/engine-scene.ts";
import { settle } from "../../test/engine/scripted-store.ts";
import { tickIndex, partitionOf, runRow } from "../codec/row-id.ts";
import { timeKey } from "../codec/time-key.ts";
import { TapeError } from "../errors.ts";
import type { Tape } from "../model/tape.ts";

let scene: EngineScene;
beforeEach(async () => {
  scene = await engineScene();
});
afterEach(async () => {
  await scene.close();
});

/** A run that waits at a gate, with a timer that ends the wait. */
async function waitWithTimeout(tape: Tape, ms: number): Promise<string> {
  const runId = await newRun(tape);
  const payloadJson = '{"gate":"approval","resolution":{"ok":false}}';
  await tape.setTimer({ runId, timerId: "t", kind: "gate_timeout", fireAtMs: scene.clock.now() + ms, payloadJson });
  await tape.awaitSignal({ runId, gateName: "approval" });
  return runId;
}

const statusOf = async (tape: Tape, runId: string) => (await tape.getRun({ runId })).status;

describe("what the server does by itself", () => {
  it("fires a built-in timer one second after it is due, if nobody has taken it (R46)", async () => {
    const { tape } = scene.open({ reactors: true });
    const runId = await waitWithTimeout(tape, 3000);
    await scene.clock.advance(3999);
    expect(await statusOf(tape, runId)).toBe("WAITING");
    await scene.clock.advance(1);
    expect(await statusOf(tape, runId)).toBe("RUNNABLE");
    const answer = await tape.awaitSignal({ runId, gateName: "approval" });
    expect(answer).toEqual({ delivered: true, resolutionJson: '{"ok":false,"timed_out":true}' });
  });

  it("leaves timers of other kinds to whoever asks for them", async () => {
    const { tape } = scene.open({ reactors: true });
    const runId = await newRun(tape);
    await tape.setTimer({ runId, timerId: "t", kind: "reminder", fireAtMs: scene.clock.now() + 1000 });
    await scene.clock.advance(60_000);
    expect((await tape.listDueTimers()).timers).toMatchObject([{ timerId: "t", fired: false }]);
  });

  it("writes down at its expiry that a claim on what may not be repeated has expired (R25)", async () => {
    const { tape, memory } = { ...scene.open({ reactors: true }), memory: scene.memory };
    const runId = await newRun(tape);
    const idempotencyKey = await newEffect(tape, runId, "wire", { semantics: "NON_IDEMPOTENT" });
    await tape.claimEffectDispatch({ runId, idempotencyKey, claimer: "d", leaseTtlMs: 30_000 });
    const kinds = async () => (await memory.read(runRow(partitionOf(""), runId)))?.entries.map((entry) => entry.kind);
    await scene.clock.advance(29_999);
    expect(await kinds()).not.toContain("effect/unknown");
    await scene.clock.advance(1);
    expect(await kinds()).toContain("effect/unknown");
  });

  it("is done for what other servers left, within five seconds", async () => {
    const dead = scene.open({}, { exclusive: false });
    scene.open({ reactors: true }, { exclusive: false });
    await settle();
    const runId = await waitWithTimeout(dead.tape, 0);
    await scene.clock.advance(5000);
    expect(await statusOf(dead.tape, runId)).toBe("RUNNABLE");
  });

  it("is done once, though several servers do it", async () => {
    const servers = [1, 2, 3].map(() => scene.open({ reactors: true }, { exclusive: false }));
    const { tape } = scene.open({}, { exclusive: false });
    const runId = await waitWithTimeout(tape, 2000);
    await scene.clock.advance(10_000);
    const row = await scene.memory.read(runRow(partitionOf(""), runId));
    expect(row?.entries.filter((entry) => entry.kind === "timer/fired")).toHaveLength(1);
    expect(row?.entries.filter((entry) => entry.kind === "gate/released")).toHaveLength(1);
    expect(servers).toHaveLength(3);
  });

  it("goes on after the store was away, and without asking it more often than needed", async () => {
    const { tape, store } = scene.open({ reactors: true });
    await settle();
    const looks = { count: 0, away: true };
    const scan = store.scan.bind(store);
    store.scan = async (index, options) => {
      looks.count += index === tickIndex ? 1 : 0;
      if (looks.away) throw new TapeError("STORE_UNAVAILABLE", "away");
      return scan(index, options);
    };
    const runId = await waitWithTimeout(tape, 1000);
    await scene.clock.advance(60_000);
    expect(looks.count).toBeLessThan(20);
    expect(await statusOf(tape, runId)).toBe("WAITING");
    looks.away = false;
    await scene.clock.advance(5000);
    expect(await statusOf(tape, runId)).toBe("RUNNABLE");
  });

  it("is done for all the others when one row cannot be read", async () => {
    const { tape, store } = scene.open({ reactors: true });
    const row = runRow(partitionOf(""), "damaged");
    const add = [{ index: tickIndex, key: timeKey(1) }];
    const head = new TextEncoder().encode("{");
    await scene.memory.append([{ row, expect: 0, commitId: "c", head, entries: [], index: { add, remove: [] } }]);
    const runId = await waitWithTimeout(tape, 1000);
    await scene.clock.advance(60_000);
    expect(await statusOf(tape, runId)).toBe("RUNNABLE");
    expect(store.reads.filter((read) => read === row).length).toBeLessThan(20);
  });

  it("is done for all the others however many rows before them cannot be read", async () => {
    const { tape } = scene.open({ reactors: true });
    const head = new TextEncoder().encode("{");
    for (let i = 0; i < 120; i += 1) {
      const row = runRow(partitionOf(""), `damaged-${i}`);
      const index = { add: [{ index: tickIndex, key: timeKey(1) }], remove: [] };
      await scene.memory.append([{ row, expect: 0, commitId: "c", head, entries: [], index }]);
    }
    const runId = await waitWithTimeout(tape, 1000);
    await scene.clock.advance(10_000);
    expect(await statusOf(tape, runId)).toBe("RUNNABLE");
  });

  it("is done for many at once", async () => {
    const { tape } = scene.open({ reactors: true });
    const runs: string[] = [];
    for (let i = 0; i < 250; i += 1) runs.push(await waitWithTimeout(tape, 1000));
    await scene.clock.advance(2100);
    const statuses = await Promise.all(runs.map((runId) => statusOf(tape, runId)));
    expect(new Set(statuses)).toEqual(new Set(["RUNNABLE"]));
  });

  it("is started once, and ends with the engine", async () => {
    const { engine } = scene.open({ reactors: true });
    engine.start();
    await settle();
    expect(scene.clock.sleeping).toBe(1);
    await engine.close();
    await engine.close();
    expect(scene.clock.sleeping).toBe(0);
  });

  it("is not done by an engine that was told not to", async () => {
    scene.open({ reactors: false });
    await settle();
    expect(scene.clock.sleeping).toBe(0);
  });
});
