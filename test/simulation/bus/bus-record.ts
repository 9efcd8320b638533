import type { RowId } from "../../../src/model/row.ts";

/* What the rows of the event bus say, by their stored formats. */

/** The parts of a reaction's head that are looked at. */
export interface ReactionHead {
  readonly kind: "reaction";
  readonly reaction_id: string;
  readonly subject_pattern: string;
  readonly predicate_cel: string;
  readonly handler_kind: string;
  readonly max_concurrency: number;
  readonly rate_limit_per_s: number;
  readonly debounce_ms: number;
  readonly num_shards: number;
  readonly generation: number;
  readonly revision: number;
  /** Position of the feed behind which it looks. */
  readonly start: number;
  readonly deleted: boolean;
}

/** How far a shard has been matched, and by whom. */
export interface ShardHead {
  readonly generation: number;
  readonly cursor: number;
  readonly owner: string;
  readonly epoch: number;
  readonly lease_expires_at_ms: number;
}

/** What is counted as handed out: time, number, and the first claim. */
export interface FlowHead {
  readonly handed_out: readonly (readonly [number, number, string])[];
}

/** A task. */
export interface TaskHead {
  readonly kind: "task";
  readonly task_id: string;
  readonly reaction_id: string;
  readonly shard: number;
  readonly source_run_id: string;
  readonly source_global_seq: number;
  readonly payload_json: string;
  readonly created_at_ms: number;
  readonly retry_max: number;
  readonly retry_backoff_ms: number;
  readonly dlq_after_n: number;
  readonly status: "PENDING" | "CLAIMED" | "DONE" | "FAILED" | "DLQ";
  readonly attempts: number;
  readonly next_attempt_at_ms: number;
  readonly last_error: string;
  readonly settled_by: string;
  readonly claim: { readonly owner: string; readonly id: string; readonly expires_at_ms: number } | null;
  /** 0: it is not over. */
  readonly ended_at_ms: number;
}

/** What is left of a task that was deleted. */
export interface DeletedTaskHead {
  readonly kind: "deleted-task";
}

/** A definition of a reaction, and since when it holds. */
export interface Revision {
  readonly head: ReactionHead;
  /** So many entries were in the feed when it became durable. */
  readonly since: number;
}

/** Everything about one reaction. */
export interface ReactionRecord {
  readonly id: string;
  readonly revisions: Revision[];
  readonly shards: Map<RowId, ShardHead>;
  /** Position of the entry to its task. */
  readonly tasks: Map<number, TaskHead>;
  /** Positions of the entries whose tasks were deleted. */
  readonly removed: Set<number>;
  /** The row of an entry to the shard that its tasks are in. */
  readonly shardOfRow: Map<RowId, number>;
  /** Who was ever given which task: `<task> <owner>`. */
  readonly claims: Set<string>;
  flow: FlowHead;
  /** Every entry up to this position was there, or was not to be, when the slowest shard passed it. */
  checkedTo: number;
}

/** A reaction of which nothing is known. */
export const emptyReaction = (id: string): ReactionRecord => ({
  id,
  revisions: [],
  shards: new Map(),
  tasks: new Map(),
  removed: new Set(),
  shardOfRow: new Map(),
  claims: new Set(),
  flow: { handed_out: [] },
  checkedTo: 0,
});

/** Whether a task is over for good. */
export const isFinal = ({ status }: TaskHead): boolean => status === "DONE" || status === "FAILED" || status === "DLQ";
