import { TapeError, type TapeErrorReason } from "../../errors.ts";
import { codes, noCredentials, saidBy, statusOf } from "../google/grpc-status.ts";

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
