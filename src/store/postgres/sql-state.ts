import { TapeError } from "../../errors.ts";

interface ServerError {
  readonly code: string;
  readonly severity: string;
}

/** An error that the server (or a pooler in front of it) sent; Node's own have a code too, but no severity. */
function serverError(error: unknown): ServerError | undefined {
  const said = error instanceof TapeError ? error.cause : error;
  if (!(said instanceof Error) || !("severity" in said) || !("code" in said)) return undefined;
  const { code, severity } = said;
  return typeof code === "string" && typeof severity === "string" ? { code, severity } : undefined;
}

/**
 * The SQLSTATE of an error that the server sent, also when it was translated. Source:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const sqlState = (error: unknown): string | undefined => serverError(error)?.code;

/** Whether the server ended the session with this error, or did not begin one. Most of its languages keep this word. */
export const isFatal = (error: unknown): boolean => serverError(error)?.severity === "FATAL";

/** What a statement failed for, wherever the severity is written in the server's own language. */
const statementClass = /^(?:22|23|40|42)/;
/**
 * What a pooler says in the server's place when it lost the server (whatever severity it gives: it cannot know what became
 * of the statement), what ends a session, and "statement completion unknown".
 */
const undecided = /^(?:08|57P|40003)/;

/**
 * Whether the server answered that the statement failed and the session goes on. Then the transaction that the statement
 * was alone in is rolled back: nothing was written. FATAL and PANIC end the session, and may meet it between the commit
 * and the answer; a lost connection and a time-out on this side tell nothing at all.
 */
export function isDefinite(error: unknown): boolean {
  const said = serverError(error);
  if (said === undefined || undecided.test(said.code)) return false;
  return said.severity === "ERROR" || statementClass.test(said.code);
}

/**
 * Whether the transaction lost against another (40001, 40P01): nothing was written, and the same again may work at once.
 * Not 55P03 (a lock was waited for in vain): waiting again at once would wait as long.
 */
export function isSerialization(error: unknown): boolean {
  const state = sqlState(error);
  return state === "40001" || state === "40P01";
}
