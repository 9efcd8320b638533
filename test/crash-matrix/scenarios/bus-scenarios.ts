import { setTimeout as sleep } from "node:timers/promises";
import { reactionFlowRow, reactionRow, taskRow } from "../../../src/codec/row-id.ts";
import type { Task } from "../../../src/model/reaction.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { factsOfReaction, patternOf } from "./facts.ts";
import { leaseMs, partition } from "./run-scene.ts";
import { scenario, type Prepared, type Scenario } from "./scenario.ts";

/** Many wait at once, each with a read of all lists of tasks, and the feed of some stores brings an entry after seconds. */
const longestPauseMs = 1000;
const patienceMs = 60_000;

const reactionOf = (name: string) =>
  ({
    reactionId: name,
    subjectPattern: patternOf(name),
    handlerKind: "TASK",
    bootstrapFromHead: true,
    maxConcurrency: 1,
    retryMax: 3,
    retryBackoffMs: 86_400_000,
  }) as const;

/** A reaction with one task, which was made by itself. */
async function task(tape: Tape, name: string): Promise<Task> {
  await tape.registerReaction(reactionOf(name));
  await tape.writeValue({ namespace: name, key: "key", valueJson: "1" });
  const until = performance.now() + patienceMs;
  for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const { tasks } = await tape.listTasks({ reactionId: name });
    const [found] = tasks;
    if (found !== undefined) return found;
    if (performance.now() > until) throw new TypeError(`reaction ${name} has made no task`);
    await sleep(pauseMs);
  }
}

async function claimedTask(tape: Tape, name: string): Promise<Task> {
  await task(tape, name);
  const { tasks } = await tape.claimTasks({ reactionId: name, owner: name, leaseMs, max: 1 });
  const [found] = tasks;
  if (found === undefined) throw new TypeError(`the task of reaction ${name} is not due`);
  return found;
}

const onReaction = (name: string, rows: Prepared["rows"], call: Prepared["call"]): Prepared => ({
  rows,
  call,
  neighbour: (tape, options) => tape.listTasks({ reactionId: name }, options),
  facts: (tape) => factsOfReaction(tape, name),
});

/** Calls of the event bus. */
export const busScenarios: readonly Scenario[] = [
  scenario("RegisterReaction", "registerReaction", async (_tape, name) =>
    onReaction(name, [reactionRow(partition, name)], (caller, options) =>
      caller.registerReaction(reactionOf(name), options),
    ),
  ),
  scenario("DeregisterReaction", "deregisterReaction", async (tape, name) => {
    await tape.registerReaction(reactionOf(name));
    return onReaction(name, [reactionRow(partition, name)], (caller, options) =>
      caller.deregisterReaction({ reactionId: name }, options),
    );
  }),
  scenario("ClaimTasks", "claimTasks", async (tape, name) => {
    const { taskId } = await task(tape, name);
    return onReaction(name, [reactionFlowRow(partition, name), taskRow(partition, taskId)], (caller, options) =>
      caller.claimTasks({ reactionId: name, owner: name, leaseMs, max: 1 }, options),
    );
  }),
  scenario("CompleteTask", "completeTask", async (tape, name) => {
    const { taskId } = await claimedTask(tape, name);
    return onReaction(name, [taskRow(partition, taskId), reactionFlowRow(partition, name)], (caller, options) =>
      caller.completeTask({ taskId, owner: name }, options),
    );
  }),
  scenario("NackTask", "nackTask", async (tape, name) => {
    const { taskId } = await claimedTask(tape, name);
    return onReaction(name, [taskRow(partition, taskId), reactionFlowRow(partition, name)], (caller, options) =>
      caller.nackTask({ taskId, owner: name, error: "no luck" }, options),
    );
  }),
];
