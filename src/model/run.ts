/** State of a run; the transitions are the table in `docs/semantics.md`, "Runs". */
export type RunStatus =
  | "UNSPECIFIED"
  | "RUNNABLE"
  | "RUNNING"
  | "WAITING"
  | "TERMINAL"
  | "FAILED"
  | "COMPENSATING"
  | "STUCK"
  | "CANCELLED";

/** Opens a run, or takes part in one that exists (R10). */
export interface BeginRunRequest {
  readonly appName: string;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly invocationId: string;
  /** Who holds the lease; empty when nobody does. */
  readonly leaseOwner?: string | undefined;
  /** Milliseconds; 0 means the default. */
  readonly leaseTtlMs?: number | undefined;
  readonly tenantId?: string | undefined;
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
  readonly agentId?: string | undefined;
  readonly aiplexInstanceId?: string | undefined;
  readonly gatewayRoute?: string | undefined;
  /** What the run may do (R21). */
  readonly scopes?: readonly string[] | undefined;
  /** At most 256. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** What BeginRun found or made. */
export interface BeginRunResponse {
  readonly runId: string;
  readonly resumed: boolean;
  /** The seq the next entry will get. */
  readonly nextSeq: number;
  readonly status: RunStatus;
}

/** Takes the lease of an existing run; exactly one of several callers wins (R13). */
export interface ResumeRunRequest {
  readonly runId: string;
  /** Who holds the lease; empty when nobody does. */
  readonly leaseOwner?: string | undefined;
  /** Milliseconds; 0 means the default. */
  readonly leaseTtlMs?: number | undefined;
}

/** The run as it is after the lease was taken. */
export interface ResumeRunResponse {
  readonly run: RunState;
}

/** Ends a run, or starts undoing it (R11). */
export interface EndRunRequest {
  readonly runId: string;
  readonly status: RunStatus;
  readonly detailJson?: string | undefined;
}

/** The run as recorded. */
export interface EndRunResponse {
  readonly run: RunState;
}

/** Asks for one run. */
export interface GetRunRequest {
  readonly runId: string;
}

/** Asks for runs that someone should resume (R13). */
export interface ListRunsToRecoverRequest {
  /** At most 1,000; 0 means 100. */
  readonly limit?: number | undefined;
  /** Milliseconds since 1970; 0 or negative means now (R8). */
  readonly nowMs?: number | undefined;
}

/** Runs to resume, oldest due first. */
export interface ListRunsToRecoverResponse {
  readonly runs: readonly RunState[];
}

/** Follows the journal of one run (R14). */
export interface SubscribeRunRequest {
  readonly runId: string;
  /** The first seq wanted; 0 and 1 both mean all. */
  readonly fromSeq?: number | undefined;
}

/** A run. */
export interface RunState {
  readonly runId: string;
  readonly appName: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly invocationId: string;
  readonly status: RunStatus;
  /** The seq of the last entry. */
  readonly seqCursor: number;
  /** Who holds the lease; empty when nobody does. */
  readonly leaseOwner: string;
  readonly leaseExpiresAtMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly waitingOnGate: string;
  readonly tenantId: string;
  readonly actor: string;
  readonly subject: string;
  readonly agentId: string;
  readonly aiplexInstanceId: string;
  readonly gatewayRoute: string;
  /** What the run may do (R21). */
  readonly scopes: readonly string[];
  /** At most 256. */
  readonly labels: Readonly<Record<string, string>>;
}

/** One journal record of a run, or of any row; payload bodies are never in it (R52). */
export interface JournalEntry {
  readonly seq: number;
  readonly kind: string;
  readonly payloadJson: string;
  /** Server's clock, milliseconds since 1970. */
  readonly tsMs: number;
  /** Position in the store-wide feed, below 2^53. */
  readonly globalSeq: number;
  readonly subject: string;
  readonly schemaVersion: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
}

/** Asks for ended runs whose bodies may go (R75). */
export interface ListCompactableRunsRequest {
  readonly beforeMs?: number | undefined;
  /** At most 1,000; 0 means 100. */
  readonly limit?: number | undefined;
}

/** Runs that may be compacted. */
export interface ListCompactableRunsResponse {
  readonly runs: readonly RunState[];
}

/** Drops the payload bodies of an ended run (R75). */
export interface CompactRunRequest {
  readonly runId: string;
}

/** What compaction removed. */
export interface CompactRunResponse {
  readonly decisionsZeroed: number;
  readonly effectsZeroed: number;
  readonly bytesSaved: number;
  readonly alreadyCompacted: boolean;
}
