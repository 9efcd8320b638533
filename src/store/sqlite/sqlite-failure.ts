import { TapeError, type TapeErrorReason } from "../../errors.ts";

/** SQLite's primary result codes that Tape tells apart. Source: https://www.sqlite.org/rescode.html */
const sqlite = {
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  NOTADB: 26,
} as const;

/** The primary result code of a failed SQLite call; 0 for any other error. */
function sqliteCode(error: unknown): number {
  const code = error instanceof Error && "errcode" in error ? error.errcode : 0;
  // An extended result code keeps its primary one in the lowest byte.
  return typeof code === "number" ? code & 0xff : 0;
}

/** Another connection is in the way: trying again may help. */
export const isBusy = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return code === sqlite.BUSY || code === sqlite.LOCKED || code === sqlite.PROTOCOL;
};

/** SQLITE_CONSTRAINT_PRIMARYKEY: of the tables that Tape inserts into without `on conflict`, only positions have one. */
const primaryKeyTaken = 1555;

/** An entry has this position already. */
export const isPositionTaken = (error: unknown): boolean =>
  error instanceof Error && "errcode" in error && error.errcode === primaryKeyTaken;

type Moment = "opening" | "working";

/**
 * The one translation of SQLite's errors. `doing` says what was tried, with the file or row: "writing to /x/tape.db".
 * What fails while a file is being opened is a matter of configuration, later it is one of the moment.
 */
export function sqliteFailure(error: unknown, doing: string, moment: Moment = "working"): TapeError {
  if (error instanceof TapeError) return error;
  const { reason, why } = explain(sqliteCode(error), moment);
  const said = why ?? (error instanceof Error ? error.message : String(error));
  return new TapeError(reason, `${doing} failed: ${said}`, { cause: error });
}

function explain(code: number, moment: Moment): { readonly reason: TapeErrorReason; readonly why?: string } {
  const atHand: TapeErrorReason = moment === "opening" ? "STORE_NOT_USABLE" : "STORE_UNAVAILABLE";
  switch (code) {
    case sqlite.BUSY:
    case sqlite.LOCKED:
    case sqlite.PROTOCOL:
      return { reason: "STORE_UNAVAILABLE", why: "another process keeps the file locked; try again, or stop it" };
    case sqlite.FULL:
      return { reason: "STORE_UNAVAILABLE", why: "the disk is full; make room on it, then try again" };
    case sqlite.IOERR:
      return { reason: "STORE_UNAVAILABLE", why: "the disk reported an error; check it and the system's log" };
    case sqlite.NOMEM:
      return { reason: "STORE_UNAVAILABLE", why: "SQLite is out of memory; try again with smaller batches" };
    case sqlite.PERM:
    case sqlite.READONLY:
      return { reason: atHand, why: "the file or its directory cannot be written; check owner and permissions" };
    case sqlite.CANTOPEN:
      return {
        reason: atHand,
        why: "the file cannot be opened or created; check that its directory exists and can be written",
      };
    case sqlite.NOTADB:
      return { reason: "STORE_NOT_USABLE", why: "the file is not a SQLite database; choose another path" };
    case sqlite.CORRUPT:
      return { reason: "STORE_CORRUPT", why: "the file is damaged; restore it from a backup" };
    default:
      return { reason: "INTERNAL" };
  }
}
