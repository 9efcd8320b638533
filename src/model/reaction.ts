/** What a reaction does with a matching entry. */
export type HandlerKind = "UNSPECIFIED" | "AGENT" | "TASK" | "PUBLISH";

/** State of a task made by a reaction. */
export type TaskStatus = "UNSPECIFIED" | "PENDING" | "CLAIMED" | "DONE" | "FAILED" | "DLQ";

/** A standing order: for each matching entry make a task (R70). */
export interface Reaction {
  readonly reactionId: string;
  readonly name?: string | undefined;
  /** `*` is one segment, `**` the rest; empty matches all. */
  readonly subjectPattern: string;
  readonly predicateCel?: string | undefined;
  readonly handlerKind: HandlerKind;
  readonly agentApp?: string | undefined;
  readonly publishTarget?: string | undefined;
  readonly maxConcurrency?: number | undefined;
  readonly rateLimitPerS?: number | undefined;
  readonly debounceMs?: number | undefined;
  readonly retryMax?: number | undefined;
  readonly retryBackoffMs?: number | undefined;
  readonly dlqAfterN?: number | undefined;
  readonly numShards?: number | undefined;
  readonly createdAtMs?: number | undefined;
  readonly deleted?: boolean | undefined;
  readonly bootstrapFromHead?: boolean | undefined;
}

/** Removes a reaction. */
export interface DeregisterReactionRequest {
  readonly reactionId: string;
}

/** Whether there was one to remove. */
export interface DeregisterReactionResponse {
  readonly deregistered: boolean;
}

/** Asks for reactions. */
export interface ListReactionsRequest {
  /** `*` is one segment, `**` the rest; empty matches all. */
  readonly subjectPattern?: string | undefined;
}

/** Reactions. */
export interface ListReactionsResponse {
  readonly reactions: readonly Reaction[];
}

/** One piece of work made by a reaction. */
export interface Task {
  readonly taskId: string;
  readonly reactionId: string;
  readonly shard: number;
  readonly sourceRunId: string;
  readonly sourceGlobalSeq: number;
  readonly subject: string;
  readonly payloadJson: string;
  readonly status: TaskStatus;
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  /** Who holds the lease; empty when nobody does. */
  readonly leaseOwner: string;
  readonly leaseExpiresAtMs: number;
  readonly lastError: string;
  readonly createdAtMs: number;
  readonly traceId: string;
  readonly parentSpanId: string;
}

/** Claims due tasks (R71). */
export interface ClaimTasksRequest {
  readonly reactionId: string;
  readonly shard?: number | undefined;
  readonly owner?: string | undefined;
  readonly leaseMs?: number | undefined;
  readonly max?: number | undefined;
  /** Milliseconds since 1970; 0 or negative means now (R8). */
  readonly nowMs?: number | undefined;
}

/** The tasks won. */
export interface ClaimTasksResponse {
  readonly tasks: readonly Task[];
}

/** Says that a task is done. */
export interface CompleteTaskRequest {
  readonly taskId: string;
  readonly owner?: string | undefined;
}

/** The task as recorded. */
export interface CompleteTaskResponse {
  readonly task: Task;
}

/** Says that a task failed. */
export interface NackTaskRequest {
  readonly taskId: string;
  readonly owner?: string | undefined;
  readonly error?: string | undefined;
  readonly permanent?: boolean | undefined;
}

/** The task as recorded. */
export interface NackTaskResponse {
  readonly task: Task;
}

/** Asks for tasks. */
export interface ListTasksRequest {
  readonly reactionId?: string | undefined;
  readonly status?: TaskStatus | undefined;
  /** At most 1,000; 0 means 100. */
  readonly limit?: number | undefined;
}

/** Tasks. */
export interface ListTasksResponse {
  readonly tasks: readonly Task[];
}
