import assert from "node:assert/strict";
import type { ClaimTasksRequest, Reaction, Task } from "../../model/reaction.ts";
import type { Tape } from "../../model/tape.ts";
import { upTo } from "./assertions.ts";
import type { Scene } from "./scene.ts";
import { follow } from "./stream.ts";
import { rule, type TapeCase } from "./tape-case.ts";

/** The pattern of the entries that {@link write} makes. */
export const written = "/tape/decision/recorded/**";

/** A case about reactions; those that it leaves registered would be matched while other cases use the same store. */
export const busRule = (number: string, name: string, body: (t: Scene) => Promise<void>): TapeCase =>
  rule(number, name, async (t) => {
    try {
      await body(t);
    } finally {
      await deregisterAll(t.tape);
    }
  });

/** Removes all reactions that this caller sees. */
export async function deregisterAll(tape: Tape): Promise<void> {
  const { reactions } = await tape.listReactions();
  await Promise.all(reactions.map(({ reactionId }) => tape.deregisterReaction({ reactionId })));
}

/** A registered reaction of kind TASK on everything that {@link write} makes; its id. */
export async function react(t: Scene, request: Partial<Reaction> = {}): Promise<string> {
  const reactionId = request.reactionId ?? t.name("reaction");
  await t.tape.registerReaction({ reactionId, subjectPattern: written, handlerKind: "TASK", ...request });
  return reactionId;
}

/** Records these decisions, the model saying what the entry is about; gives the run. */
export async function write(t: Scene, models: readonly string[], runId?: string): Promise<string> {
  const run = runId ?? (await t.run());
  const { seqCursor } = await t.get(run);
  for (const [index, model] of models.entries()) {
    await t.tape.recordDecision({ runId: run, decisionIndex: seqCursor + index, model });
  }
  return run;
}

/** Waits until so many decisions of the run are in the feed: on some stores their places are known a little later. */
export async function inFeed(t: Scene, runId: string, decisions: number): Promise<void> {
  const stream = follow((signal) => t.tape.subscribeEvents({ runId, kind: "decision" }, { signal }));
  await stream.take(decisions);
  await stream.leave();
}

/** What the entry of a task is about. */
export const modelOf = (task: Task): string => String((JSON.parse(task.payloadJson) as { model?: unknown }).model);

/** The tasks of a reaction, once there are so many. */
export async function tasksOf(t: Scene, reactionId: string, count: number): Promise<readonly Task[]> {
  return t.byItself(async () => {
    const { tasks } = await t.tape.listTasks({ reactionId, limit: 1000 });
    assert.ok(tasks.length <= count, `${count} tasks are due, there are ${tasks.length}`);
    return tasks.length === count && tasks;
  }, `there should be ${count} tasks`);
}

/** Waits until this reaction has looked at everything that was written so far: an entry of its own comes behind. */
export async function matched(t: Scene, reactionId: string, count: number): Promise<readonly Task[]> {
  await write(t, ["last"]);
  const tasks = await tasksOf(t, reactionId, count + 1);
  return tasks.filter((task) => modelOf(task) !== "last");
}

/** A reaction with so many tasks, one for each of the runs that made them; the models are `0`, `1`, ... */
export async function withTasks(t: Scene, count: number, request: Partial<Reaction> = {}): Promise<string> {
  const reactionId = await react(t, request);
  await write(
    t,
    upTo(count).map((index) => String(index)),
  );
  await tasksOf(t, reactionId, count);
  return reactionId;
}

/** Claims for this owner; gives what the tasks are about. */
export async function claim(
  t: Scene,
  reactionId: string,
  request: Partial<Omit<ClaimTasksRequest, "reactionId">> = {},
  tape: Tape = t.tape,
): Promise<readonly Task[]> {
  const { tasks } = await tape.claimTasks({ reactionId, owner: "worker", max: 100, ...request });
  return tasks;
}

/** Claims one task, which must be there. */
export async function claimOne(t: Scene, reactionId: string, owner: string = "worker"): Promise<Task> {
  const [task] = await claim(t, reactionId, { owner, max: 1 });
  assert.ok(task, "a task should be due");
  return task;
}

/** The task as it is now. */
export async function taskNow(t: Scene, { reactionId, taskId }: Task): Promise<Task> {
  const { tasks } = await t.tape.listTasks({ reactionId, limit: 1000 });
  const found = tasks.find((task) => task.taskId === taskId);
  assert.ok(found, `task ${taskId} should be listed`);
  return found;
}
