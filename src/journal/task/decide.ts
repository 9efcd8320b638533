import { TapeError } from "../../errors.ts";
import type { CompleteTaskRequest, NackTaskRequest, Task, TaskStatus } from "../../model/reaction.ts";
import type { Limits } from "../limits.ts";
import { accept, type Context, type Decide } from "../row.ts";
import { requiredId, text } from "../validate.ts";
import {
  afterFailure,
  isOver,
  taskAt,
  type TaskClaim,
  type TaskEvent,
  type TaskFacts,
  type TaskProgress,
  type TaskRow,
} from "./task.ts";

type OnTask<T> = Decide<TaskRow, TaskEvent, T>;

function view(facts: TaskFacts, progress: TaskProgress): Task {
  const { claim } = progress;
  return {
    taskId: facts.taskId,
    reactionId: facts.reactionId,
    shard: facts.shard,
    sourceRunId: facts.sourceRunId,
    sourceGlobalSeq: facts.sourceGlobalSeq,
    subject: facts.subject,
    payloadJson: facts.payloadJson,
    status: progress.status,
    attempts: progress.attempts,
    nextAttemptAtMs: progress.nextAttemptAtMs,
    leaseOwner: claim?.owner ?? "",
    leaseExpiresAtMs: claim?.expiresAtMs ?? 0,
    lastError: progress.lastError,
    createdAtMs: facts.createdAtMs,
    traceId: facts.traceId,
    parentSpanId: facts.parentSpanId,
  };
}

const becomes = (progress: TaskProgress): TaskEvent => ({ kind: "head/task-progress", progress });

/** Makes the task unless it is there, or was: exactly once for a reaction and an entry, whose hash its id is (R70). */
export const makeTask =
  (facts: TaskFacts): OnTask<boolean> =>
  (task) =>
    task.facts === null && task.deletedAtMs === 0
      ? accept([{ kind: "head/make-task", facts }], true)
      : accept([], false);

/** What ClaimTasks asks of each task. */
export interface ClaimTask extends TaskClaim {
  /** Tasks that are due later are not wanted. */
  readonly untilMs: number;
}

/** Claims a task that is due, and writes down an attempt whose claim has expired; `null` when it is not to be had. */
export const claimTask =
  ({ untilMs, ...claim }: ClaimTask): OnTask<Task | null> =>
  (task, { now }) => {
    if (task.facts === null) return accept([], null);
    const current = taskAt(task, now);
    // It was this very call that claimed it: decided again after an append of unknown fate, or a repeat (R3).
    if (current.claim?.id === claim.id) return accept([], view(task.facts, current));
    if (current.status !== "PENDING" || current.nextAttemptAtMs > untilMs || claim.expiresAtMs <= now) {
      return accept(current === task.progress ? [] : [becomes(current)], null);
    }
    // From now on what this owner says is about this claim, and no repeat.
    const settledBy = current.settledBy === claim.owner ? "" : current.settledBy;
    const claimed: TaskProgress = { ...current, status: "CLAIMED", claim, settledBy };
    return accept([becomes(claimed)], view(task.facts, claimed));
  };

/** How an attempt ended, and the claim that it had; `null` for a repeat. */
export interface Settled {
  readonly task: Task;
  readonly claim: TaskClaim | null;
}

/** The owner says how its attempt ended; a repeat gives the task as it is now. */
const settle =
  (
    taskId: string,
    owner: string,
    as: "DONE" | "NACK",
    outcome: (task: TaskRow, context: Context) => TaskProgress,
  ): OnTask<Settled> =>
  (task, context) => {
    const { facts } = task;
    if (facts === null) {
      throw new TapeError("TASK_NOT_FOUND", `task ${taskId} does not exist`, { ids: { task_id: taskId } });
    }
    const current = taskAt(task, context.now);
    if (context.requestHash !== "" && task.requests.includes(context.requestHash)) {
      return accept([], { task: view(facts, current), claim: null });
    }
    const { claim } = current;
    if (claim?.owner === owner) {
      const ended = { ...outcome(task, context), claim: null, settledBy: owner, settledAs: as };
      const remembered: TaskEvent[] =
        context.requestHash === "" ? [] : [{ kind: "head/request", hash: context.requestHash }];
      return accept([becomes(ended), ...remembered], { task: view(facts, ended), claim });
    }
    if (current.settledBy === owner && current.settledAs === as) {
      return accept([], { task: view(facts, current), claim: null });
    }
    throw notYours(facts, current, owner);
  };

function notYours({ taskId }: TaskFacts, { status, claim }: TaskProgress, owner: string): TapeError {
  const holder = claim?.owner ?? "";
  const ids = { task_id: taskId, status, claimer: owner, holder };
  if (status === "PENDING" || status === "CLAIMED") {
    const why = holder === "" ? "nobody does, it has expired or was never made" : `${holder} does`;
    return new TapeError("CLAIM_HELD", `${owner} does not hold the claim on task ${taskId}: ${why}`, { ids });
  }
  return new TapeError("TRANSITION_NOT_ALLOWED", `task ${taskId} is ${status}, which does not change any more`, {
    ids,
  });
}

/** CompleteTask (R71). */
export function completeTask(request: CompleteTaskRequest, limits: Limits): OnTask<Settled> {
  const taskId = requiredId("task_id", request.taskId, limits);
  const owner = requiredId("owner", request.owner, limits);
  return settle(taskId, owner, "DONE", ({ progress }, { now }) => ({
    ...progress,
    status: "DONE",
    nextAttemptAtMs: 0,
    endedAtMs: now,
  }));
}

/** NackTask (R71): one more failed attempt, and with `permanent` the last one. */
export function nackTask(request: NackTaskRequest, limits: Limits): OnTask<Settled> {
  const taskId = requiredId("task_id", request.taskId, limits);
  const owner = requiredId("owner", request.owner, limits);
  const error = text("error", request.error, limits);
  return settle(taskId, owner, "NACK", (task, { now }) => {
    const failed = afterFailure(task, error, now);
    return request.permanent === true ? { ...failed, status: "FAILED", nextAttemptAtMs: 0, endedAtMs: now } : failed;
  });
}

/** The task, if there is one and its status at this time is the wanted one (UNSPECIFIED: any), and if it stands at this place of the lists. */
export const readTask =
  (status: TaskStatus, key: string): OnTask<Task | null> =>
  (task, { now }) => {
    const current = taskAt(task, now);
    // A first attempt to make the task, which got no further than its keys, had another time in them.
    const isWanted = task.listKey === key && (status === "UNSPECIFIED" || status === current.status);
    return accept([], isWanted && task.facts !== null ? view(task.facts, current) : null);
  };

/** Retention: deletes a task that ended at this time or earlier; answers whether. */
export const deleteEndedTask =
  (endedUntilMs: number): OnTask<boolean> =>
  ({ facts, progress }, { now }) =>
    facts !== null && isOver(progress.status) && progress.endedAtMs <= endedUntilMs
      ? accept([{ kind: "head/delete-task", at: now }], true)
      : accept([], false);

/**
 * Retention: deletes a task that nobody can claim any more, since its reaction is gone; answers whether. One that was made
 * later than this is not meant: the reaction may have been registered again since somebody looked (R70).
 */
export const deleteOrphanedTask =
  (madeUntilMs: number): OnTask<boolean> =>
  (task, { now }) => {
    const isHeld = taskAt(task, now).claim !== null;
    return task.facts === null || isHeld || task.facts.createdAtMs > madeUntilMs
      ? accept([], false)
      : accept([{ kind: "head/delete-task", at: now }], true);
  };

/** Writes down that a claim has expired (R71). */
export const tickTask: OnTask<void> = (task, { now }) => {
  const current = taskAt(task, now);
  return accept(current === task.progress ? [] : [becomes(current)], undefined);
};
