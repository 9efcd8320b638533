import { TapeError, type TapeErrorCode, type TapeErrorReason } from "../errors.ts";

/** Exit codes of `tape`; from 64 on they are those of sysexits.h. Documented in `docs/cli.md` and in `tape --help`. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** The answer is no: no such run, signal not taken, not allowed in this state. */
  no: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The server or the store cannot be reached, or took too long. */
  unavailable: 69,
  /** A defect, or stored data that cannot be read. */
  internal: 70,
  /** The store cannot be opened or created. */
  store: 73,
  /** No or bad credentials, or they do not reach that far. */
  permission: 77,
  /** A setting, a store URL or the port cannot be used. */
  config: 78,
  /** Interrupted by Ctrl-C. */
  interrupted: 130,
} as const;

/** What each code is said to mean, in the order of the reference. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: "done",
  no: "the answer is no: not found, not accepted, not allowed in this state",
  usage: "the command line is wrong",
  unavailable: "the server or the store cannot be reached, or took too long",
  internal: "a defect, or stored data that cannot be read",
  store: "the store cannot be opened or created",
  permission: "no or bad credentials, or they do not allow it",
  config: "a setting, the store URL or the port cannot be used",
  interrupted: "interrupted by Ctrl-C",
};

const byCode: Readonly<Record<TapeErrorCode, keyof typeof exitCodes>> = {
  INVALID_ARGUMENT: "usage",
  NOT_FOUND: "no",
  FAILED_PRECONDITION: "no",
  ABORTED: "no",
  ALREADY_EXISTS: "no",
  RESOURCE_EXHAUSTED: "no",
  UNAUTHENTICATED: "permission",
  PERMISSION_DENIED: "permission",
  UNAVAILABLE: "unavailable",
  DEADLINE_EXCEEDED: "unavailable",
  UNIMPLEMENTED: "unavailable",
  CANCELLED: "interrupted",
  INTERNAL: "internal",
};

/** Reasons that say more than their code. */
const byReason: Readonly<Partial<Record<TapeErrorReason, keyof typeof exitCodes>>> = {
  CONFIG_INVALID: "config",
  STORE_URL_INVALID: "config",
  STORE_NOT_USABLE: "store",
  FORMAT_NEWER: "store",
  MIGRATION_PENDING: "store",
  DRIVER_MISSING: "store",
};

/** The exit code for what a command failed with. */
export function exitCodeOf(error: unknown): number {
  return exitCodes[error instanceof TapeError ? (byReason[error.reason] ?? byCode[error.code]) : "internal"];
}
