import { afterEach, beforeEach, expect, it } from "vitest";
import { engineScene, newRun, type EngineScene } from "../../test/engine/engine-scene.ts";
import { settle } from "../../test/engine/scripted-store.ts";
import { reactor } from "../reactor/reactor.ts";
import type { Tape } from "../model/tape.ts";

/** An answer may have so many bytes, and a payload a third of that. */
const limits = { messageBytes: 60_000, payloadBytes: 20_000, textBytes: 2000 };
const large = JSON.stringify("x".repeat(19_000));
const owner = "worker";
const hour = 3_600_000;

let scene: EngineScene;
let tape: Tape;
beforeEach(async () => {
  scene = await engineScene();
  ({ tape } = scene.open({ limits, reactors: true, reactor: reactor() }));
});
afterEach(async () => {
  await scene.close();
});

async function work(): Promise<void> {
  for (let i = 0; i < 10; i += 1) {
    await scene.clock.advance(100);
    await settle();
  }
}

const mustFit = (answer: object, count: number): void => {
  expect(JSON.stringify(answer).length).toBeLessThan(limits.messageBytes);
  expect(Object.values(answer)[0]).toHaveLength(count);
};
const tooLarge = { reason: "SIZE_LIMIT", message: expect.stringContaining("TAPE_MAX_MESSAGE_BYTES") as string };

it("lists of what is due are as long as a message takes, and go on with what is left", async () => {
  const runs = [await newRun(tape), await newRun(tape)];
  const outbox = { toolName: "t", dispatchMode: "OUTBOX", connector: "c", requestJson: large } as const;
  for (const runId of runs) {
    for (let callIndex = 0; callIndex < 3; callIndex += 1) {
      await tape.beginEffect({ runId, callIndex, ...outbox });
      await tape.beginEffect({ runId, callIndex, toolName: "inline", requestJson: large });
      await tape.setTimer({
        runId,
        timerId: `t${callIndex}`,
        kind: "k",
        fireAtMs: scene.clock.now(),
        payloadJson: large,
      });
    }
  }
  await scene.clock.advance(1000);
  mustFit(await tape.listPendingEffects({ olderThanMs: 0 }), 2);
  const first = await tape.listEffectsToDispatch();
  mustFit(first, 2);
  for (const { runId, idempotencyKey } of first.effects) {
    await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
  }
  const second = await tape.listEffectsToDispatch();
  mustFit(second, 2);
  expect(second.effects[0]?.requestJson).toBe(large);
  // What is claimed is handed out once, so no more of it than is told.
  const taken: string[] = [];
  for (let calls = 0; calls < 4; calls += 1) {
    const answer = await tape.listDueTimers({ claim: true });
    mustFit(answer, calls < 3 ? 2 : 0);
    taken.push(...answer.timers.map(({ runId, timerId }) => `${runId} ${timerId}`));
  }
  expect(new Set(taken).size).toBe(6);
});

it("claimed tasks fit into a message, and lists of them", async () => {
  await tape.registerReaction({ reactionId: "r", subjectPattern: "/tape/decision/**", handlerKind: "TASK" });
  const runId = await newRun(tape);
  for (let decisionIndex = 0; decisionIndex < 60; decisionIndex += 1) {
    await tape.recordDecision({ runId, decisionIndex, rationale: "y".repeat(1900) });
  }
  await work();
  const { tasks: listed } = await tape.listTasks({ reactionId: "r", limit: 100 });
  expect(JSON.stringify(listed).length).toBeLessThan(limits.messageBytes);
  expect(listed.length).toBeGreaterThan(15);
  const seen = new Set<string>();
  for (let calls = 0; seen.size < 60; calls += 1) {
    expect(calls).toBeLessThan(60);
    const { tasks } = await tape.claimTasks({ reactionId: "r", shard: -1, owner, max: 100, leaseMs: hour });
    expect(JSON.stringify(tasks).length).toBeLessThan(limits.messageBytes);
    for (const { taskId } of tasks) {
      expect(seen.has(taskId)).toBe(false);
      seen.add(taskId);
    }
  }
});

it("sessions are listed as far as their states fit, and one that is too large is refused with advice", async () => {
  const user = { appName: "a", userId: "u" };
  for (let i = 0; i < 5; i += 1) {
    await tape.createSession({ ...user, sessionId: `s${i}`, stateJson: JSON.stringify({ k: "z".repeat(19_000) }) });
    await scene.clock.advance(1);
  }
  const { sessions } = await tape.listSessions(user);
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(["s4", "s3"]);
  for (let i = 0; i < 4; i += 1) {
    await tape.appendEvent({ ...user, sessionId: "s0", event: { id: `e${i}`, author: "a", contentJson: large } });
  }
  await expect(tape.getSession({ ...user, sessionId: "s0" })).rejects.toMatchObject(tooLarge);
  expect((await tape.getSession({ ...user, sessionId: "s0", maxEvents: 1 })).session?.events).toHaveLength(1);
});

it("obligations of a run are given as a whole, or refused with advice", async () => {
  const runId = await newRun(tape);
  const { idempotencyKey: effectKey } = await tape.beginEffect({ runId, toolName: "t" });
  for (const kind of ["a", "b", "c"]) {
    await tape.registerCompensation({ runId, effectKey, kind, payloadJson: large });
  }
  expect((await tape.listObligations({ runId })).obligations).toHaveLength(3);
  await tape.registerCompensation({ runId, effectKey, kind: "d", payloadJson: large });
  await expect(tape.listObligations({ runId })).rejects.toMatchObject(tooLarge);
  expect((await tape.getRun({ runId })).runId).toBe(runId);
});
