import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineScene, newRun, type EngineScene } from "../../test/engine/engine-scene.ts";
import { settle, withResolvers, type AppendAct } from "../../test/engine/scripted-store.ts";
import { isTaskRow, partitionOf, taskRow } from "../codec/row-id.ts";
import type { Task } from "../model/reaction.ts";
import type { Tape } from "../model/tape.ts";
import type { StoreCapabilities } from "../store/store.ts";
import { reactor } from "./reactor.ts";

const hourMs = 3_600_000;
const owner = "worker";
const local = partitionOf("");

let scene: EngineScene;
beforeEach(async () => {
  scene = await engineScene();
});
afterEach(async () => {
  await scene.close();
});

/** A server that matches and keeps tasks for three hours, and those that were given up for ten. */
const server = (capabilities: Partial<StoreCapabilities> = {}) =>
  scene.open(
    {
      reactors: true,
      reactor: reactor(),
      retention: { runsMs: 3 * hourMs, deadTasksMs: 10 * hourMs },
    },
    capabilities,
  );

const reaction = { subjectPattern: "/tape/decision/**", handlerKind: "TASK", dlqAfterN: 1 } as const;

const react = (tape: Tape, reactionId = "r") => tape.registerReaction({ reactionId, ...reaction });

/** A run that goes on, whose decisions make tasks. */
async function newTasks(tape: Tape, count: number): Promise<string> {
  const runId = await newRun(tape);
  for (let decisionIndex = 0; decisionIndex < count; decisionIndex += 1) {
    await tape.recordDecision({ runId, decisionIndex, model: "m" });
  }
  await pass(1000, 200);
  return runId;
}

async function pass(ms: number, stepMs = hourMs / 12): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    await scene.clock.advance(Math.min(left, stepMs));
    await settle(20);
  }
}

async function tasksOf(tape: Tape, reactionId = "r"): Promise<readonly Task[]> {
  return (await tape.listTasks({ reactionId, limit: 1000 })).tasks;
}

const claim = async (tape: Tape, max: number): Promise<readonly Task[]> =>
  (await tape.claimTasks({ reactionId: "r", shard: -1, owner, max, leaseMs: 60_000 })).tasks;

describe("tasks that are over", () => {
  it("go when they have been DONE so long; those that were given up stay longer, and open ones for ever", async () => {
    const { tape, engine } = server();
    await react(tape);
    await newTasks(tape, 3);
    await pass(2 * hourMs);
    const [done, dead] = await claim(tape, 2);
    await tape.completeTask({ taskId: done?.taskId ?? "", owner });
    await tape.nackTask({ taskId: dead?.taskId ?? "", owner, error: "no luck" });
    await pass(2.9 * hourMs);
    expect((await tasksOf(tape)).map(({ status }) => status)).toEqual(["DONE", "DLQ", "PENDING"]);
    // A repeat of what was said of it is still answered.
    expect(await tape.completeTask({ taskId: done?.taskId ?? "", owner })).toMatchObject({ task: { status: "DONE" } });
    await pass(hourMs / 2);
    expect((await tasksOf(tape)).map(({ status }) => status)).toEqual(["DLQ", "PENDING"]);
    await pass(7 * hourMs);
    expect((await tasksOf(tape)).map(({ status }) => status)).toEqual(["PENDING"]);
    expect(engine.stats()).toMatchObject({ deletedTasks: 2, retentionFailures: 0 });
    await expect(tape.completeTask({ taskId: done?.taskId ?? "", owner })).rejects.toMatchObject({
      reason: "TASK_NOT_FOUND",
    });
  });

  it("leave a row without anything of them, so that no entry makes its task again", async () => {
    const { tape, engine } = server();
    await react(tape);
    await newTasks(tape, 2);
    const tasks = await claim(tape, 2);
    for (const { taskId } of tasks) await tape.completeTask({ taskId, owner });
    await pass(4 * hourMs);
    expect(await tasksOf(tape)).toEqual([]);
    const rows = await Promise.all(tasks.map(({ taskId }) => scene.memory.read(taskRow(local, taskId))));
    for (const row of rows) expect(Buffer.from(row?.head ?? []).toString()).toMatch(/^.{1,80}$/);
    const { tasksMade } = engine.stats();
    // Registered anew it begins with the first entry, which is still there.
    await tape.deregisterReaction({ reactionId: "r" });
    await react(tape);
    await newTasks(tape, 1);
    await pass(10_000, 500);
    expect(engine.stats().tasksMade).toBe(tasksMade + 1);
    expect(await tasksOf(tape)).toHaveLength(1);
    const { keys = [] } = await scene.memory.sweep({ limit: 1000 });
    expect(keys.filter(({ row }) => tasks.some(({ taskId }) => row.endsWith(taskId)))).toEqual([]);
  });

  it("stay when nothing bounds them", async () => {
    const { tape } = scene.open({ reactors: true, reactor: reactor(), retention: { payloadsMs: hourMs } });
    await react(tape);
    await newTasks(tape, 1);
    const [task] = await claim(tape, 1);
    await tape.completeTask({ taskId: task?.taskId ?? "", owner });
    await pass(20 * hourMs);
    expect(await tasksOf(tape)).toHaveLength(1);
  });
});

describe("tasks that a reaction left open when it was deregistered", () => {
  it("go so long afterwards, unless somebody holds them or the reaction is back", async () => {
    const { tape } = server();
    for (const id of ["r", "kept", "back"]) await react(tape, id);
    await newTasks(tape, 2);
    await tape.deregisterReaction({ reactionId: "r" });
    await tape.deregisterReaction({ reactionId: "back" });
    await pass(2.5 * hourMs);
    await react(tape, "back");
    expect(await tasksOf(tape)).toHaveLength(2);
    await pass(hourMs);
    expect(await tasksOf(tape)).toEqual([]);
    expect(await tasksOf(tape, "kept")).toHaveLength(2);
    expect(await tasksOf(tape, "back")).toHaveLength(2);
  });

  it("go, and none that was made since the reaction is back, also while they are being deleted (R70)", async () => {
    const { tape, store, engine } = server({ concurrentAppends: 4 });
    await react(tape);
    const runId = await newTasks(tape, 12);
    await tape.deregisterReaction({ reactionId: "r" });
    await pass(2.9 * hourMs);
    const [deleting, isBack] = [withResolvers<undefined>(), withResolvers<undefined>()];
    const holdDeletion: AppendAct = async (batch, go) => {
      if (batch.some(({ row }) => isTaskRow(row))) {
        deleting.resolve(undefined);
        await isBack.promise;
      } else store.nextAppends.push(holdDeletion);
      return go();
    };
    store.nextAppends.push(holdDeletion);
    const passing = pass(hourMs);
    await deleting.promise;
    await tape.registerReaction({ reactionId: "r", ...reaction, bootstrapFromHead: true });
    await tape.recordDecision({ runId, decisionIndex: 12, model: "m" });
    await settle(100);
    const { tasksMade } = engine.stats();
    isBack.resolve(undefined);
    await passing;
    expect(tasksMade).toBe(13);
    const left = (await tasksOf(tape)).map(({ payloadJson }) => JSON.parse(payloadJson) as unknown);
    expect(left).toMatchObject([{ decision_index: 12 }]);
  });
});
