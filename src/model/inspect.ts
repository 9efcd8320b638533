import type { BudgetState } from "./budget.ts";
import type { CallOptions } from "./call.ts";
import type { EffectRecord } from "./effect.ts";
import type { ObligationRecord } from "./obligation.ts";
import type { JournalEntry, RunState, RunStatus } from "./run.ts";
import type { TimerRecord } from "./timer.ts";

/**
 * Reading beside the contract, call for call the RPCs of `tape.v1.Inspect`: find, page through and judge the runs of a
 * store. Nothing here changes what is journaled.
 *
 * Lists are paged: an empty `nextPageToken` means that there is no more. A token is valid for the request that it came
 * from, with another page size at most; any other is ARGUMENT_INVALID. Errors otherwise are those of {@link Tape}.
 */
export interface Inspect {
  /**
   * Runs, newest first (R80). A page may hold fewer than asked for, or none, and yet not be the last: what no index
   * finds is looked for in bounded steps. Errors: TENANT_NOT_GRANTED.
   */
  listRuns(request?: ListRunsRequest, options?: CallOptions): Promise<ListRunsResult>;
  /** One run with all that belongs to it (R82). Errors: RUN_NOT_FOUND. */
  getRunDetail(request: GetRunDetailRequest, options?: CallOptions): Promise<GetRunDetailResponse>;
  /** The journal of one run, with payload bodies if asked (R83). Errors: RUN_NOT_FOUND. */
  readJournal(request: ReadJournalRequest, options?: CallOptions): Promise<ReadJournalResponse>;
  /** What a human must look at, longest waiting first (R84). Errors: TENANT_NOT_GRANTED. */
  listAttention(request?: ListAttentionRequest, options?: CallOptions): Promise<ListAttentionResponse>;
  /** What the store is, what it can do and how it is (R85). */
  describeStore(request?: DescribeStoreRequest, options?: CallOptions): Promise<DescribeStoreResponse>;
}

/** Where one occurrence of a gate is (R40). */
export type GateStatus = "UNSPECIFIED" | "WAITING" | "SIGNALLED" | "RELEASED";

/** Why something needs a human. */
export type AttentionKind =
  | "UNSPECIFIED"
  /** An effect that may have happened (R25, R28). */
  | "EFFECT_UNKNOWN"
  /** A run that cannot go on (R27, R32). */
  | "RUN_STUCK"
  /** An obligation that could not be met (R32). */
  | "OBLIGATION_STUCK"
  /** A run that nobody has recovered for too long (R13). */
  | "RUN_RECOVERABLE";

/** Filters of a run list; they combine. An empty or zero field does not filter. */
export interface ListRunsRequest {
  /** Only a tenant that the caller may see. */
  readonly tenantId?: string | undefined;
  readonly appName?: string | undefined;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** Any of these. */
  readonly statuses?: readonly RunStatus[] | undefined;
  /** Milliseconds since 1970, inclusive. */
  readonly startedFromMs?: number | undefined;
  /** Milliseconds since 1970, exclusive. */
  readonly startedBeforeMs?: number | undefined;
  /** At most 1,000; 0 means 100. */
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
}

/** Runs, newest first. */
export interface ListRunsResponse {
  readonly runs: readonly RunState[];
  readonly nextPageToken: string;
}

/** A page of runs, and what it cost; the costs travel as metadata. */
export interface ListRunsResult extends ListRunsResponse {
  /** Index keys that were read for this page. */
  readonly keysRead: number;
  /** Rows that were read for this page. */
  readonly rowsRead: number;
}

/** Which run, and which part of what belongs to it. */
export interface GetRunDetailRequest {
  readonly runId: string;
  /** Leave out settled effects and obligations, released gates and fired timers. */
  readonly openOnly?: boolean | undefined;
  /** Counts the effects, obligations, gates and timers of a page together. At most 1,000; 0 means 100. */
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
}

/** A run, and a page of what belongs to it, as one commit left it. */
export interface GetRunDetailResponse {
  readonly run: RunState;
  /** The fencing number of the present or last lease. */
  readonly leaseEpoch: number;
  /** `detailJson` of EndRun; on the first page only. */
  readonly endDetailJson: string;
  readonly budget: BudgetState;
  readonly effects: readonly EffectRecord[];
  readonly obligations: readonly ObligationRecord[];
  readonly gates: readonly GateRecord[];
  readonly timers: readonly TimerRecord[];
  readonly nextPageToken: string;
}

/** One occurrence of a gate (R40). */
export interface GateRecord {
  readonly runId: string;
  readonly gateName: string;
  /** From 1. */
  readonly occurrence: number;
  readonly status: GateStatus;
  /** What the wait is about. */
  readonly payloadJson: string;
  /** The signal, once it is there. */
  readonly resolutionJson: string;
  /** Milliseconds since 1970; 0 if nobody has waited yet. */
  readonly waitingSinceMs: number;
  /** Milliseconds since 1970; 0 if there is no signal yet. */
  readonly signalledAtMs: number;
}

/** Which part of a run's journal. */
export interface ReadJournalRequest {
  readonly runId: string;
  /** Inclusive; 0 and 1 mean from the start. Ignored beside a page token. */
  readonly fromSeq?: number | undefined;
  /** At most 1,000; 0 means 100. */
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
  readonly includeBodies?: boolean | undefined;
}

/** Entries in order. */
export interface ReadJournalResponse {
  readonly records: readonly JournalRecord[];
  readonly nextPageToken: string;
}

/** An entry and, if asked, what it carries. */
export interface JournalRecord {
  readonly entry: JournalEntry;
  /** Payload field (`request_json`, `response_json`, ...) to its text, as stored; without those that are empty. */
  readonly bodies: Readonly<Record<string, string>>;
}

/** What to list; filters combine. */
export interface ListAttentionRequest {
  /** Only a tenant that the caller may see. */
  readonly tenantId?: string | undefined;
  /** Any of these; none means all. */
  readonly kinds?: readonly AttentionKind[] | undefined;
  /** How long a run must have been recoverable, in milliseconds; 0 means 60 s. */
  readonly recoverableForMs?: number | undefined;
  /** At most 1,000; 0 means 100. */
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
}

/** Items, longest waiting first. */
export interface ListAttentionResponse {
  readonly items: readonly AttentionItem[];
  readonly nextPageToken: string;
}

/** One thing that needs a human. */
export interface AttentionItem {
  readonly kind: AttentionKind;
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** The run concerned. */
  readonly run: RunState;
  /** Set for EFFECT_UNKNOWN. */
  readonly effect?: EffectRecord | undefined;
  /** Set for OBLIGATION_STUCK. */
  readonly obligation?: ObligationRecord | undefined;
}

/** Asks about the store. */
// oxlint-disable-next-line typescript/no-empty-object-type -- the message has no fields yet, and may get some
export interface DescribeStoreRequest {}

/** The store behind the journal. */
export interface DescribeStoreResponse {
  /** The scheme of its URL: `sqlite`, `postgres`, ... */
  readonly kind: string;
  /** Number of the newest stored format in it. */
  readonly formatVersion: number;
  /** What it declares of itself, by name. */
  readonly capabilities: Readonly<Record<string, string>>;
  /** Duration of one round trip, measured for this answer, in microseconds. */
  readonly roundTripUs: number;
  /** Number of rows by kind, where that is cheap to know; a kind that is not is left out. */
  readonly rowCounts: Readonly<Record<string, number>>;
  /** Version of the server, or of the library that has the store open. */
  readonly serverVersion: string;
}
