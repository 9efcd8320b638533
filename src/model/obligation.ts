/** PENDING, COMMITTED (claimed), COMPENSATED or STUCK. */
export type ObligationStatus = "UNSPECIFIED" | "PENDING" | "COMMITTED" | "COMPENSATED" | "STUCK";

/** Promises the inverse of an effect (R30). */
export interface RegisterCompensationRequest {
  readonly runId: string;
  readonly effectKey: string;
  readonly kind: string;
  readonly payloadJson?: string | undefined;
  readonly compensatorRef?: string | undefined;
  /** 0 means 5. */
  readonly maxAttempts?: number | undefined;
}

/** Asks for the obligations of one run, newest first (R33). */
export interface ListObligationsRequest {
  readonly runId: string;
  readonly onlyUnresolved?: boolean | undefined;
  readonly statusFilter?: ObligationStatus | undefined;
}

/** Obligations, newest first. */
export interface ListObligationsResponse {
  readonly obligations: readonly ObligationRecord[];
}

/** Says how a compensation ended (R32). */
export interface ResolveObligationRequest {
  readonly runId: string;
  readonly obligationSeq: number;
  readonly status: ObligationStatus;
  readonly resultJson?: string | undefined;
}

/** The inverse of an effect, to be run if the run must be undone. */
export interface ObligationRecord {
  readonly runId: string;
  readonly seq: number;
  readonly effectKey: string;
  readonly kind: string;
  readonly payloadJson: string;
  readonly status: ObligationStatus;
  /** Server's clock, milliseconds since 1970. */
  readonly tsMs: number;
  readonly compensatorRef: string;
  readonly attempts: number;
  /** 0 means 5. */
  readonly maxAttempts: number;
  readonly nextAttemptAtMs: number;
  readonly lastError: string;
  readonly claimedBy: string;
  readonly claimExpiresAtMs: number;
  readonly resultJson: string;
}

/** Asks for due obligations of all runs (R33). */
export interface ListUnresolvedObligationsRequest {
  /** At most 1,000; 0 means 100. */
  readonly limit?: number | undefined;
  /** Milliseconds since 1970; 0 or negative means now (R8). */
  readonly nowMs?: number | undefined;
  readonly includePending?: boolean | undefined;
  readonly includeStuck?: boolean | undefined;
  readonly includeCommittedExpired?: boolean | undefined;
}

/** Due obligations, oldest due first. */
export interface ListUnresolvedObligationsResponse {
  readonly obligations: readonly ObligationRecord[];
}

/** Claims one due obligation (R31). */
export interface ClaimObligationRequest {
  readonly runId: string;
  readonly obligationSeq: number;
  readonly claimer: string;
  /** Milliseconds; 0 means the default. */
  readonly leaseTtlMs?: number | undefined;
}

/** Whether the claim was won, and the obligation either way. */
export interface ClaimObligationResponse {
  readonly acquired: boolean;
  readonly obligation: ObligationRecord;
}

/** Says that a compensation attempt failed (R32). */
export interface RecordObligationAttemptRequest {
  readonly runId: string;
  readonly obligationSeq: number;
  readonly error?: string | undefined;
  /** When to try again; 0 or negative means STUCK. */
  readonly nextAttemptAtMs?: number | undefined;
}
