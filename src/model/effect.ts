/** PENDING, then CONFIRMED, FAILED or UNKNOWN; UNKNOWN, then CONFIRMED or FAILED, which are final. */
export type EffectStatus = "UNSPECIFIED" | "PENDING" | "CONFIRMED" | "FAILED" | "UNKNOWN";

/** What a second execution of the act would do. UNSPECIFIED means IDEMPOTENT (R21). */
export type EffectSemantics = "UNSPECIFIED" | "IDEMPOTENT" | "NON_IDEMPOTENT" | "OBSERVE_ONLY";

/** Who acts: the agent itself (INLINE) or a dispatcher (OUTBOX). UNSPECIFIED means INLINE (R21). */
export type EffectDispatchMode = "UNSPECIFIED" | "INLINE" | "OUTBOX";

/** What was found out by asking the outside world (R27). */
export type EffectResolution = "UNSPECIFIED" | "CONFIRMED" | "FAILED" | "ABSENT" | "DUPLICATE" | "STUCK";

/** Records the intent of one act, before it happens (R20 to R22). */
export interface BeginEffectRequest {
  readonly runId: string;
  /** From 0; negative means outside any decision, where allowed. */
  readonly decisionIndex?: number | undefined;
  readonly toolName: string;
  /** Tells apart calls of one tool in one decision. */
  readonly callIndex?: number | undefined;
  readonly requestJson?: string | undefined;
  /** Replaces the derived key. */
  readonly customKey?: string | undefined;
  readonly semantics?: EffectSemantics | undefined;
  readonly dispatchMode?: EffectDispatchMode | undefined;
  readonly businessKey?: string | undefined;
  readonly connector?: string | undefined;
  readonly scope?: string | undefined;
}

/** The effect as it stands: new, or recorded earlier with its outcome. */
export interface BeginEffectResponse {
  readonly seq: number;
  readonly idempotencyKey: string;
  readonly status: EffectStatus;
  readonly responseJson: string;
  readonly errorJson: string;
}

/** Records how an act ended (R23). */
export interface CompleteEffectRequest {
  readonly runId: string;
  readonly idempotencyKey: string;
  readonly status: EffectStatus;
  readonly responseJson?: string | undefined;
  readonly errorJson?: string | undefined;
}

/** Asks for one effect. */
export interface GetEffectRequest {
  readonly runId: string;
  readonly idempotencyKey: string;
}

/** The effect, if it was begun. */
export interface GetEffectResponse {
  readonly found: boolean;
  readonly effect?: EffectRecord | undefined;
}

/** Settles an effect by a human or a reconciler (R28). */
export interface ReconcileEffectRequest {
  readonly runId: string;
  readonly idempotencyKey: string;
  readonly resolvedStatus: EffectStatus;
  readonly responseJson?: string | undefined;
  readonly errorJson?: string | undefined;
}

/** One act with its request and its outcome. */
export interface EffectRecord {
  readonly runId: string;
  readonly seq: number;
  /** From 0; negative means outside any decision, where allowed. */
  readonly decisionIndex: number;
  readonly toolName: string;
  readonly idempotencyKey: string;
  readonly status: EffectStatus;
  readonly requestJson: string;
  readonly responseJson: string;
  readonly errorJson: string;
  /** Server's clock, milliseconds since 1970. */
  readonly tsMs: number;
  readonly semantics: EffectSemantics;
  readonly dispatchMode: EffectDispatchMode;
  readonly businessKey: string;
  readonly connector: string;
  readonly dispatchAttempts: number;
  /** Milliseconds since 1970. */
  readonly nextDispatchAtMs: number;
  readonly externalRef: string;
  readonly dispatchClaimedBy: string;
  readonly dispatchClaimExpiresAtMs: number;
  readonly lastDispatchError: string;
  readonly scope: string;
}

/** Asks for outbox effects that are due and unclaimed (R24). */
export interface ListEffectsToDispatchRequest {
  /** Milliseconds since 1970; 0 or negative means now (R8). */
  readonly nowMs?: number | undefined;
  /** At most 1,000; 0 means 100. */
  readonly limit?: number | undefined;
  readonly connector?: string | undefined;
}

/** Effects to dispatch, by due time. */
export interface ListEffectsToDispatchResponse {
  readonly effects: readonly EffectRecord[];
}

/** Claims one outbox effect for a dispatcher, or renews the claim (R24). */
export interface ClaimEffectDispatchRequest {
  readonly runId: string;
  readonly idempotencyKey: string;
  readonly claimer: string;
  /** Milliseconds; 0 means the default. */
  readonly leaseTtlMs?: number | undefined;
}

/** Whether the claim was won, and the effect either way. */
export interface ClaimEffectDispatchResponse {
  readonly acquired: boolean;
  readonly effect: EffectRecord;
}

/** Says that an attempt ended without an outcome (R26). */
export interface RecordDispatchAttemptRequest {
  readonly runId: string;
  readonly idempotencyKey: string;
  readonly error?: string | undefined;
  /** When to try again; 0 or negative means that nobody knows whether the act happened (UNKNOWN). */
  readonly nextDispatchAtMs?: number | undefined;
}

/** Says what the outside world answered about an act (R27). */
export interface RecordExternalObservationRequest {
  readonly runId: string;
  readonly idempotencyKey: string;
  readonly resolution: EffectResolution;
  readonly externalRef?: string | undefined;
  readonly responseJson?: string | undefined;
  readonly errorJson?: string | undefined;
  readonly compensateOnDuplicateKind?: string | undefined;
}

/** Asks for effects whose outcome someone should find out (R28). */
export interface ListPendingEffectsRequest {
  /** Age in milliseconds. */
  readonly olderThanMs?: number | undefined;
  /** At most 1,000; 0 means 100. */
  readonly limit?: number | undefined;
  readonly includePending?: boolean | undefined;
  readonly includeUnknown?: boolean | undefined;
}

/** Effects without an outcome, oldest first. */
export interface ListPendingEffectsResponse {
  readonly effects: readonly EffectRecord[];
}
