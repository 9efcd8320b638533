import type { DecisionRecord } from "./decision.ts";
import type { BeginEffectResponse } from "./effect.ts";
import type { BeginRunResponse, ResumeRunResponse } from "./run.ts";
import type { ValueEvent } from "./value.ts";

/** What a call may carry beside its request; travels as metadata (`docs/semantics.md`, "Metadata"). */
export interface CallOptions {
  /** Gives up waiting. A write may still commit; a retry finds it (R9). */
  readonly signal?: AbortSignal | undefined;
  /** Gives up after this many milliseconds with DEADLINE_EXCEEDED. Default: the client's; embedded: none. */
  readonly timeoutMs?: number | undefined;
  /** Idempotency key of calls without a natural one, at most 128 bytes (R3). The client makes one when absent. */
  readonly requestId?: string | undefined;
  /** Fencing: a write with an epoch older than the run's is ABORTED and writes nothing. Absent: not fenced. */
  readonly leaseEpoch?: number | undefined;
  /** Makes a divergence FAILED_PRECONDITION. */
  readonly strict?: boolean | undefined;
  /** AwaitSignal: which wait on that gate this is, from 1 (R40). Default 1. */
  readonly gateOccurrence?: number | undefined;
  /** Who holds the claim; when given and not the holder: CLAIM_HELD. Absent: taken to be the holder (R26). */
  readonly claimer?: string | undefined;
  /** W3C trace context, stored on the entries that the call writes. */
  readonly traceparent?: string | undefined;
}

/** BeginRun's answer with its fencing number; 0 when no lease was given. */
export interface BeginRunResult extends BeginRunResponse {
  readonly leaseEpoch: number;
}

/** ResumeRun's answer with its fencing number. */
export interface ResumeRunResult extends ResumeRunResponse {
  readonly leaseEpoch: number;
}

/** The recorded decision, and whether the replayed call disagrees with it (R15). */
export interface RecordDecisionResult extends DecisionRecord {
  readonly diverged: boolean;
}

/** The effect, and whether the replayed call disagrees with the recorded one. */
export interface BeginEffectResult extends BeginEffectResponse {
  readonly diverged: boolean;
}

/** A change of a value; `gap` is true on the first one of a stream whose start is no longer kept (R61). */
export interface WatchedValue extends ValueEvent {
  readonly gap: boolean;
}
