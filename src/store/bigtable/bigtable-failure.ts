import { TapeError, type TapeErrorReason } from "../../errors.ts";

/** Numbers of gRPC's status codes. Source: the gRPC core documentation, "Status codes and their use". */
const codes = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The gRPC status of a failed call; undefined when it failed before it was one. */
function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;
}

export const isNotFound = (error: unknown): boolean => statusOf(error) === codes.notFound;
export const isAlreadyThere = (error: unknown): boolean => statusOf(error) === codes.alreadyExists;
export const isForbidden = (error: unknown): boolean => statusOf(error) === codes.permissionDenied;
export const isUnimplemented = (error: unknown): boolean => statusOf(error) === codes.unimplemented;

/** The service has answered that it did not do it. Everything else may have been done, or be done yet. */
export function isDefinite(error: unknown): boolean {
  const status = statusOf(error);
  const definite: readonly (number | undefined)[] = [
    codes.invalidArgument,
    codes.notFound,
    codes.alreadyExists,
    codes.permissionDenied,
    codes.resourceExhausted,
    codes.failedPrecondition,
    codes.unimplemented,
    codes.unauthenticated,
  ];
  return definite.includes(status);
}

/** Worth another try at once: the call never arrived, or its connection broke. */
export const isPassing = (error: unknown): boolean => statusOf(error) === codes.unavailable;

const longest = 300;

/**
 * The one translation of Bigtable's, the library's and the connection's errors. `doing` says what was tried, with the
 * table. What the service says is kept: it speaks of names and permissions, and never of what is in a cell.
 */
export function bigtableFailure(error: unknown, doing: string): TapeError {
  if (error instanceof TapeError) return error;
  const said = saidBy(error);
  const { reason, advice } = explain(statusOf(error), said);
  return new TapeError(reason, `${doing} failed: ${said}${advice === "" ? "" : `; ${advice}`}`, { cause: error });
}

interface Explanation {
  readonly reason: TapeErrorReason;
  readonly advice: string;
}

function explain(status: number | undefined, said: string): Explanation {
  switch (status) {
    case codes.notFound:
      return {
        reason: "STORE_NOT_USABLE",
        advice: "the table or its family m is not there (any more): run tape migrate",
      };
    case codes.permissionDenied:
      return {
        reason: "STORE_NOT_USABLE",
        advice: "grant this identity roles/bigtable.user on the instance or the table",
      };
    case codes.unauthenticated:
      return { reason: "STORE_NOT_USABLE", advice: noCredentials };
    case codes.failedPrecondition:
      return {
        reason: "STORE_NOT_USABLE",
        advice: "the app profile must route to a single cluster and allow single-row transactions",
      };
    case codes.invalidArgument:
    case codes.unimplemented:
      return { reason: "INTERNAL", advice: "this is a fault of Tape: please report it" };
    case undefined:
      return /credentials|metadata|token/i.test(said)
        ? { reason: "STORE_NOT_USABLE", advice: noCredentials }
        : { reason: "STORE_UNAVAILABLE", advice: "" };
    default:
      return { reason: "STORE_UNAVAILABLE", advice: "try again; if it goes on, look at the instance's status" };
  }
}

const noCredentials =
  "no usable Application Default Credentials: run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS, or give the machine a service account";

function saidBy(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = (text.split("\n")[0] ?? "").replaceAll(/\p{Cc}/gu, " ").trim();
  return line.length > longest ? `${line.slice(0, longest)}...` : line;
}
