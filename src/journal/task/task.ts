import { complete, decodeHead } from "../../codec/head.ts";
import { indexPath, retireDeadTasksIndex, retireTasksIndex, tickIndex, type Partition } from "../../codec/row-id.ts";
import { timeKey } from "../../codec/time-key.ts";
import type { IndexKey } from "../../model/row.ts";
import type { TaskStatus } from "../../model/reaction.ts";
import type { HeadEvent, RowRules } from "../row.ts";

/*
 * The row of a task (R70, R71): one matching entry, and what became of it. It has no entries. When it has been deleted the
 * row stays, without anything of it, so that the entry never makes it again.
 */

/** Format 1 did not say when a task ended, and knew no deletion. */
const format = 2;
const rememberedRequests = 8;

/** Status of a task as it is written. */
export type WrittenStatus = Exclude<TaskStatus, "UNSPECIFIED">;

/** Whether a task of this status is over. */
export const isOver = (status: WrittenStatus): boolean => status === "DONE" || status === "FAILED" || status === "DLQ";

/** What never changes. */
export interface TaskFacts {
  readonly taskId: string;
  readonly reactionId: string;
  readonly shard: number;
  /** Whether the reaction has several shards, so that tasks are also claimed by shard. */
  readonly isSharded: boolean;
  readonly sourceRunId: string;
  readonly sourceGlobalSeq: number;
  readonly subject: string;
  readonly payloadJson: string;
  readonly createdAtMs: number;
  readonly traceId: string;
  /** The span that wrote the entry. */
  readonly parentSpanId: string;
  /** How failures are taken, as the reaction said when the task was made; 0: no limit, at once. */
  readonly retryMax: number;
  readonly retryBackoffMs: number;
  readonly dlqAfterN: number;
}

/** Who works on a task. `id` is of one call of ClaimTasks, and of its repeats. */
export interface TaskClaim {
  readonly owner: string;
  readonly id: string;
  readonly expiresAtMs: number;
}

/** What changes with every attempt. */
export interface TaskProgress {
  readonly status: WrittenStatus;
  /** Attempts that have failed. */
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly claim: TaskClaim | null;
  readonly lastError: string;
  /** Who ended the last attempt, and how: a repeat of that is no news. */
  readonly settledBy: string;
  readonly settledAs: "DONE" | "NACK" | "";
  /** When it became DONE, FAILED or DLQ; 0: it has not. */
  readonly endedAtMs: number;
}

/** A task; `facts` is `null` while it does not exist. */
export interface TaskRow {
  seq: number;
  /** When it was deleted; 0: it has not been. */
  deletedAtMs: number;
  facts: TaskFacts | null;
  /** The facts, as the inside of a JSON object. */
  factsText: string;
  /** Name of the index by due time, without its partition, and that of the shard; empty: none. */
  dueIndex: string;
  shardIndex: string;
  /** Name of the index by claim, without its partition. */
  claimIndex: string;
  /** Key among the tasks of a status. */
  listKey: string;
  progress: TaskProgress;
  requests: readonly string[];
}

/** What can happen to a task. */
export type TaskEvent =
  | (HeadEvent<"make-task"> & { readonly facts: TaskFacts })
  | (HeadEvent<"delete-task"> & { readonly at: number })
  | (HeadEvent<"task-progress"> & { readonly progress: TaskProgress })
  | (HeadEvent<"request"> & { readonly hash: string });

interface FactsHead {
  readonly task_id: string;
  readonly reaction_id: string;
  readonly shard: number;
  readonly is_sharded: boolean;
  readonly source_run_id: string;
  readonly source_global_seq: number;
  readonly subject: string;
  readonly payload_json: string;
  readonly created_at_ms: number;
  readonly trace_id: string;
  readonly parent_span_id: string;
  readonly retry_max: number;
  readonly retry_backoff_ms: number;
  readonly dlq_after_n: number;
}

interface TaskHead extends FactsHead {
  readonly format: number;
  readonly kind: "task";
  readonly status: WrittenStatus;
  readonly attempts: number;
  readonly next_attempt_at_ms: number;
  readonly claim: { readonly owner: string; readonly id: string; readonly expires_at_ms: number } | null;
  readonly last_error: string;
  readonly settled_by: string;
  readonly settled_as: TaskProgress["settledAs"];
  readonly ended_at_ms?: number;
  readonly requests: readonly string[];
}

interface DeletedTaskHead {
  readonly format: number;
  readonly kind: "deleted-task";
  readonly deleted_at_ms: number;
}

const unborn: TaskProgress = {
  status: "PENDING",
  attempts: 0,
  nextAttemptAtMs: 0,
  claim: null,
  lastError: "",
  settledBy: "",
  settledAs: "",
  endedAtMs: 0,
};

/** Gives a task its facts, with what is made of them once. */
function setFacts(task: TaskRow, facts: TaskFacts): void {
  const head: FactsHead = {
    task_id: facts.taskId,
    reaction_id: facts.reactionId,
    shard: facts.shard,
    is_sharded: facts.isSharded,
    source_run_id: facts.sourceRunId,
    source_global_seq: facts.sourceGlobalSeq,
    subject: facts.subject,
    payload_json: facts.payloadJson,
    created_at_ms: facts.createdAtMs,
    trace_id: facts.traceId,
    parent_span_id: facts.parentSpanId,
    retry_max: facts.retryMax,
    retry_backoff_ms: facts.retryBackoffMs,
    dlq_after_n: facts.dlqAfterN,
  };
  task.facts = facts;
  task.factsText = `"format":${format},"kind":"task",${JSON.stringify(head).slice(1, -1)}`;
  task.dueIndex = dueIndexPath(facts.reactionId);
  task.shardIndex = facts.isSharded ? dueIndexPath(facts.reactionId, facts.shard) : "";
  task.claimIndex = claimIndexPath(facts.reactionId);
  task.listKey = `${listPrefix(facts.reactionId)}${timeKey(facts.createdAtMs)}/${timeKey(facts.sourceGlobalSeq)}`;
}

/** The index of a reaction's tasks by due time, of all its shards or of one, without its partition. */
export const dueIndexPath = (reactionId: string, shard?: number): string =>
  shard === undefined ? indexPath("tasks", reactionId) : indexPath("tasks", reactionId, String(shard));

/** The index of a reaction's claimed tasks by claim, without its partition: a repeated ClaimTasks finds them there. */
export const claimIndexPath = (reactionId: string): string => indexPath("task-claims", reactionId);

/** What the keys of a reaction's tasks in {@link listIndexPath} start with. */
export const listPrefix = (reactionId: string): string => `${indexPath(reactionId)}/`;

/** The index of the tasks that were written with this status, by reaction and age, without its partition. */
export const listIndexPath = (status: WrittenStatus): string => indexPath("task-list", status);

/** The indexes of the tasks that are over, by reaction and age, without their partition. */
export const endedTaskIndexes: readonly string[] = (["DONE", "FAILED", "DLQ"] as const).map(listIndexPath);

function restore(task: TaskRow, bytes: Uint8Array, _entries: unknown, row: string): void {
  const head = decodeHead<TaskHead | DeletedTaskHead>(bytes, format, row, ["task", "deleted-task"]);
  if (head.kind === "deleted-task") {
    forget(task, head.deleted_at_ms);
    return;
  }
  if (task.facts === null) {
    const facts = complete({
      taskId: head.task_id,
      reactionId: head.reaction_id,
      shard: head.shard,
      isSharded: head.is_sharded,
      sourceRunId: head.source_run_id,
      sourceGlobalSeq: head.source_global_seq,
      subject: head.subject,
      payloadJson: head.payload_json,
      createdAtMs: head.created_at_ms,
      traceId: head.trace_id,
      parentSpanId: head.parent_span_id,
      retryMax: head.retry_max,
      retryBackoffMs: head.retry_backoff_ms,
      dlqAfterN: head.dlq_after_n,
    });
    setFacts(task, facts);
  }
  const { claim } = head;
  task.progress = {
    status: head.status,
    attempts: head.attempts,
    nextAttemptAtMs: head.next_attempt_at_ms,
    claim: claim === null ? null : { owner: claim.owner, id: claim.id, expiresAtMs: claim.expires_at_ms },
    lastError: head.last_error,
    settledBy: head.settled_by,
    settledAs: head.settled_as,
    endedAtMs: head.ended_at_ms ?? (isOver(head.status) ? head.created_at_ms : 0),
  };
  task.requests = head.requests;
}

function forget(task: TaskRow, deletedAtMs: number): void {
  Object.assign(task, taskRules.absent(), { deletedAtMs });
}

function encode({ factsText, progress, requests, deletedAtMs }: TaskRow): string {
  if (deletedAtMs > 0) {
    const deleted: DeletedTaskHead = { format, kind: "deleted-task", deleted_at_ms: deletedAtMs };
    return JSON.stringify(deleted);
  }
  const { claim } = progress;
  const changing: Omit<TaskHead, keyof FactsHead | "format" | "kind"> = {
    status: progress.status,
    attempts: progress.attempts,
    next_attempt_at_ms: progress.nextAttemptAtMs,
    claim: claim === null ? null : { owner: claim.owner, id: claim.id, expires_at_ms: claim.expiresAtMs },
    last_error: progress.lastError,
    settled_by: progress.settledBy,
    settled_as: progress.settledAs,
    ended_at_ms: progress.endedAtMs,
    requests,
  };
  return `{${factsText},${JSON.stringify(changing).slice(1)}`;
}

function indexKeys(task: TaskRow, partition: Partition): readonly IndexKey[] {
  const { facts, progress } = task;
  if (facts === null) return [];
  const keys: IndexKey[] = [{ index: `${partition}/${listIndexPath(progress.status)}`, key: task.listKey }];
  if (progress.claim !== null) {
    keys.push({
      index: `${partition}/${task.claimIndex}`,
      key: `${progress.claim.id}/${timeKey(facts.sourceGlobalSeq)}`,
    });
  }
  if (isOver(progress.status)) {
    const index = progress.status === "DONE" ? retireTasksIndex : retireDeadTasksIndex;
    keys.push({ index, key: timeKey(progress.endedAtMs) });
  }
  const next = taskAt(task, progress.claim?.expiresAtMs ?? 0);
  if (next.status === "PENDING") {
    const key = `${timeKey(next.nextAttemptAtMs)}/${timeKey(facts.sourceGlobalSeq)}`;
    keys.push({ index: `${partition}/${task.dueIndex}`, key });
    if (task.shardIndex !== "") keys.push({ index: `${partition}/${task.shardIndex}`, key });
  } else if (progress.claim !== null) {
    // Nobody claims it after that, so that the server itself writes down what it became.
    keys.push({ index: tickIndex, key: timeKey(progress.claim.expiresAtMs) });
  }
  return keys;
}

/** The rules of a task's row. */
export const taskRules: RowRules<TaskRow, TaskEvent> = {
  past: "none",
  absent: () => ({
    seq: 0,
    deletedAtMs: 0,
    facts: null,
    factsText: "",
    dueIndex: "",
    shardIndex: "",
    claimIndex: "",
    listKey: "",
    progress: unborn,
    requests: [],
  }),
  restore,
  evolve(task, event) {
    if (event.kind === "head/make-task") {
      setFacts(task, event.facts);
      task.progress = { ...unborn, nextAttemptAtMs: event.facts.createdAtMs };
    } else if (event.kind === "head/delete-task") forget(task, event.at);
    else if (event.kind === "head/task-progress") task.progress = event.progress;
    else task.requests = [...task.requests.slice(1 - rememberedRequests), event.hash];
  },
  head: encode,
  indexKeys,
  trimBelow: () => 1,
  bytes: ({ factsText, facts }) => 1024 + 2 * (factsText.length + (facts?.payloadJson.length ?? 0)),
};

/** Pauses between attempts double up to this, or stay at what was asked for if that is longer. */
const longestBackoffMs = 3_600_000;

function backoffMs({ retryBackoffMs }: TaskFacts, attempts: number): number {
  return Math.min(retryBackoffMs * 2 ** Math.min(attempts - 1, 40), Math.max(retryBackoffMs, longestBackoffMs));
}

/** What a task is after one more failed attempt (R71). */
export function afterFailure({ facts, progress }: TaskRow, error: string, atMs: number): TaskProgress {
  if (facts === null) return progress;
  const attempts = progress.attempts + 1;
  const ended = { ...progress, attempts, claim: null, lastError: error };
  if (facts.dlqAfterN > 0 && attempts >= facts.dlqAfterN)
    return { ...ended, status: "DLQ", nextAttemptAtMs: 0, endedAtMs: atMs };
  if (facts.retryMax > 0 && attempts > facts.retryMax)
    return { ...ended, status: "FAILED", nextAttemptAtMs: 0, endedAtMs: atMs };
  return { ...ended, status: "PENDING", nextAttemptAtMs: atMs + backoffMs(facts, attempts) };
}

/** A task at this time: a claim that has expired is a failed attempt, from that instant, whoever writes it down. */
export function taskAt(task: TaskRow, now: number): TaskProgress {
  const { claim } = task.progress;
  if (claim === null || claim.expiresAtMs > now) return task.progress;
  return afterFailure(task, `the claim of ${claim.owner} expired`, claim.expiresAtMs);
}
