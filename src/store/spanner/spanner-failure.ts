import { TapeError, type TapeErrorReason } from "../../errors.ts";
import { codes, isAlreadyThere, noCredentials, saidBy, statusOf } from "../google/grpc-status.ts";

/** The session has expired or was ended: the call was not begun. */
export const isSessionGone = (error: unknown): boolean => isMissing(error, "Session");
/** The database, or its instance, is not there. */
export const isDatabaseMissing = (error: unknown): boolean =>
  isMissing(error, "Database") || isMissing(error, "Instance");
/** The database has no such table. */
export const isTableMissing = (error: unknown): boolean =>
  isMissing(error, "Table") || /table not found/i.test(saidBy(error));

/** A row that a commit changes is not there, or one that it adds is. */
export const isRowConflict = (error: unknown): boolean =>
  isAlreadyThere(error) || (statusOf(error) === codes.notFound && !isSessionGone(error) && !isDatabaseMissing(error));

/** Something else is going on that this does not go together with. */
export const isPreconditionFailed = (error: unknown): boolean => statusOf(error) === codes.failedPrecondition;

/** The service does not take this commit, whatever else happens. */
export const isRefusal = (error: unknown): boolean => {
  const code = statusOf(error);
  return code === codes.invalidArgument || code === codes.failedPrecondition || code === codes.outOfRange;
};

// The service names what is missing in words only: "Session not found: projects/...".
const isMissing = (error: unknown, what: string): boolean =>
  statusOf(error) === codes.notFound && saidBy(error).includes(`${what} not found`);

/**
 * The one translation of Spanner's, the library's and the connection's errors. `doing` says what was tried, with the
 * database. What the service says is kept: it speaks of names, keys and permissions, never of what is in a column.
 */
export function spannerFailure(error: unknown, doing: string): TapeError {
  if (error instanceof TapeError) return error;
  const said = saidBy(error);
  const [reason, advice] = explain(error, said);
  return new TapeError(reason, `${doing} failed: ${said}${advice === "" ? "" : `; ${advice}`}`, { cause: error });
}

function explain(error: unknown, said: string): readonly [TapeErrorReason, string] {
  const code = statusOf(error);
  if (code === codes.notFound) return ["STORE_NOT_USABLE", "it is not there (any more): run tape migrate"];
  if (code === codes.permissionDenied) {
    return ["STORE_NOT_USABLE", "grant this identity roles/spanner.databaseUser on the database"];
  }
  if (code === codes.unauthenticated || (code === undefined && /credentials|metadata|token/i.test(said))) {
    return ["STORE_NOT_USABLE", noCredentials];
  }
  if (code === codes.unimplemented || isRefusal(error)) {
    return ["INTERNAL", "this is a fault of Tape: please report it"];
  }
  return ["STORE_UNAVAILABLE", code === undefined ? "" : "try again; if it goes on, look at the instance's status"];
}
