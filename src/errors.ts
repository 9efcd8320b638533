/**
 * The status a failed call has on the wire; the names of the gRPC codes.
 * Source: the table of rule R9.
 */
export type TapeErrorCode =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "ALREADY_EXISTS"
  | "RESOURCE_EXHAUSTED"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "UNAVAILABLE"
  | "DEADLINE_EXCEEDED"
  | "UNIMPLEMENTED"
  | "CANCELLED"
  | "INTERNAL";

/**
 * Every reason a call can fail for, with the status it has (R9). Reasons are stable: programs may branch on them.
 * `docs/errors.md` has a heading for each; a test compares.
 */
export const errorReasons = {
  ARGUMENT_INVALID: "INVALID_ARGUMENT",
  STORE_URL_INVALID: "INVALID_ARGUMENT",
  CONFIG_INVALID: "INVALID_ARGUMENT",
  RUN_NOT_FOUND: "NOT_FOUND",
  EFFECT_NOT_FOUND: "NOT_FOUND",
  OBLIGATION_NOT_FOUND: "NOT_FOUND",
  SESSION_NOT_FOUND: "NOT_FOUND",
  REACTION_NOT_FOUND: "NOT_FOUND",
  TASK_NOT_FOUND: "NOT_FOUND",
  RUN_ENDED: "FAILED_PRECONDITION",
  TRANSITION_NOT_ALLOWED: "FAILED_PRECONDITION",
  EFFECT_NOT_BEGUN: "FAILED_PRECONDITION",
  EFFECTS_UNKNOWN: "FAILED_PRECONDITION",
  DIVERGENCE: "FAILED_PRECONDITION",
  STORE_NOT_USABLE: "FAILED_PRECONDITION",
  FORMAT_NEWER: "FAILED_PRECONDITION",
  MIGRATION_PENDING: "FAILED_PRECONDITION",
  DRIVER_MISSING: "FAILED_PRECONDITION",
  LEASE_HELD: "ABORTED",
  EPOCH_STALE: "ABORTED",
  CLAIM_HELD: "ABORTED",
  VERSION_MISMATCH: "ABORTED",
  WRITE_CONFLICT: "ABORTED",
  BUSINESS_KEY_USED: "ALREADY_EXISTS",
  SESSION_EXISTS: "ALREADY_EXISTS",
  SIZE_LIMIT: "RESOURCE_EXHAUSTED",
  COUNT_LIMIT: "RESOURCE_EXHAUSTED",
  CREDENTIALS_MISSING: "UNAUTHENTICATED",
  CREDENTIALS_INVALID: "UNAUTHENTICATED",
  CREDENTIALS_EXPIRED: "UNAUTHENTICATED",
  CALLER_NOT_ADMITTED: "PERMISSION_DENIED",
  SCOPE_NOT_GRANTED: "PERMISSION_DENIED",
  TENANT_NOT_GRANTED: "PERMISSION_DENIED",
  STORE_UNAVAILABLE: "UNAVAILABLE",
  SERVER_UNAVAILABLE: "UNAVAILABLE",
  ISSUER_UNAVAILABLE: "UNAVAILABLE",
  OVERLOADED: "UNAVAILABLE",
  SHUTTING_DOWN: "UNAVAILABLE",
  DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
  UNIMPLEMENTED: "UNIMPLEMENTED",
  CANCELLED: "CANCELLED",
  STORE_CORRUPT: "INTERNAL",
  INTERNAL: "INTERNAL",
} as const;

/** A key of {@link errorReasons}. */
export type TapeErrorReason = keyof typeof errorReasons;

/** What may be said about an error beside its message. */
export interface TapeErrorOptions {
  /** The ids concerned, by stable names such as `run_id`, `holder`, `current_version`; sent in the error detail (R9). */
  readonly ids?: Readonly<Record<string, string>>;
  /** What caused it: logged, never sent. */
  readonly cause?: unknown;
}

/**
 * The one error class. The message says what happened, why, and what to do next; it never holds a payload or a secret.
 */
export class TapeError extends Error {
  override readonly name = "TapeError";
  /** The stable reason. */
  readonly reason: TapeErrorReason;
  /** The status, given by the reason. */
  readonly code: TapeErrorCode;
  /** The ids concerned; empty when there are none. */
  readonly ids: Readonly<Record<string, string>>;

  constructor(reason: TapeErrorReason, message: string, options: TapeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.code = errorReasons[reason];
    this.ids = options.ids ?? {};
  }

  /** Whether the same call may simply be sent again: by R3 that is always safe, here it may also help. */
  get retryable(): boolean {
    return this.code === "UNAVAILABLE" || this.reason === "WRITE_CONFLICT";
  }
}

/** Any thrown value as a TapeError: itself, or INTERNAL with it as the cause. */
export const toTapeError = (error: unknown): TapeError =>
  error instanceof TapeError
    ? error
    : new TapeError("INTERNAL", "an internal error of Tape; its cause is in the log", { cause: error });
