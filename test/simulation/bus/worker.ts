import { TapeError } from "../../../src/errors.ts";
import type { Task } from "../../../src/model/reaction.ts";
import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import { claimMs } from "../audit/run-entries.ts";
import type { BusAuditor } from "./bus-auditor.ts";
import { isFinal, type TaskHead } from "./bus-record.ts";
import type { ReactionPlan } from "./reaction-plan.ts";
import { lastAttempt } from "./task-rules.ts";

/** What a worker may be told when it was too slow, or when its reaction is taken out. */
const harmless: ReadonlySet<string> = new Set(["CLAIM_HELD", "TRANSITION_NOT_ALLOWED", "REACTION_NOT_FOUND"]);

/** So many attempts at every fourth task fail. */
const stubbornFor = 3;

/** One round of a worker: claims tasks, does them or fails, and says so, unless it dies in between. */
export async function workerRound(
  life: Life,
  stage: Stage,
  bus: BusAuditor,
  plans: readonly ReactionPlan[],
): Promise<void> {
  const { random } = life.world;
  const { id, numShards } = random.pick(plans);
  const shard = random.int(numShards + 1) - 1;
  const request = { reactionId: id, shard, owner: life.name, leaseMs: claimMs, max: 1 + random.int(5) };
  const { tasks } = await life.call({
    method: "ClaimTasks",
    about: `${request.max} of ${id}, shard ${shard}`,
    options: { requestId: life.requestId() },
    send: (tape, options) => tape.claimTasks(request, options),
    check: () => (answer) => {
      for (const task of answer.tasks) mustBeMine(life, stage, bus, task);
    },
  });
  for (const task of tasks) await handle(life, stage, bus, task);
}

function taskOf(bus: BusAuditor, { reactionId, sourceGlobalSeq }: Task): TaskHead | undefined {
  return bus.of(reactionId).tasks.get(sourceGlobalSeq);
}

/** Whoever is given a task has it, and nobody else does while his claim lives. */
function mustBeMine(life: Life, { promises }: Stage, bus: BusAuditor, task: Task): void {
  const name = `${life.name}'s claim of ${task.taskId}`;
  promises.durable(bus.of(task.reactionId).claims.has(`${task.taskId} ${life.name}`), name);
}

async function handle(life: Life, stage: Stage, bus: BusAuditor, task: Task): Promise<void> {
  const { taskId } = task;
  const { random, calm } = life.world;
  const owner = life.name;
  if (random.chance(0.15)) await life.sleep(random.int(2 * claimMs));
  await life.crossroads();
  // What is stubborn fails a few times, also when nothing goes wrong any more.
  const isStubborn = task.sourceGlobalSeq % 4 === 0 && task.attempts < stubbornFor;
  const way = isStubborn
    ? "failed"
    : calm
      ? "done"
      : random.pick(["done", "done", "failed", "failed", "failed", lastAttempt, "forgotten"] as const);
  if (way === "forgotten") return;
  const options = random.chance(0.5) ? { requestId: life.requestId() } : {};
  const check = (wanted: (head: TaskHead) => boolean) => () => () => {
    const head = taskOf(bus, task);
    stage.promises.durable(head !== undefined && wanted(head), `${taskId}, ${way}`);
  };
  try {
    if (way === "done") {
      await life.call({
        method: "CompleteTask",
        about: taskId,
        options,
        send: (tape, sent) => tape.completeTask({ taskId, owner }, sent),
        check: check(({ status }) => status === "DONE"),
      });
      return;
    }
    const permanent = way === lastAttempt;
    await life.call({
      method: "NackTask",
      about: `${taskId}, ${way}`,
      options,
      send: (tape, sent) => tape.nackTask({ taskId, owner, error: way, permanent }, sent),
      check: check((head) => head.attempts > task.attempts && (!permanent || isFinal(head))),
    });
  } catch (error) {
    if (!(error instanceof TapeError) || !harmless.has(error.reason)) throw error;
  }
}
