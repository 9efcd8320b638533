import { TapeError, type TapeErrorReason } from "../../errors.ts";
import { explainConnection } from "./connection-trouble.ts";
import { explainServer } from "./server-trouble.ts";
import { isFatal, sqlState } from "./sql-state.ts";

export { isDefinite, isSerialization, sqlState } from "./sql-state.ts";

/** Whether the store is being opened, or had been open. */
export type Moment = "opening" | "working";

/**
 * What a failure is a matter of: the database's configuration (which at work is one of the moment, since it did work), the
 * tables, the moment, the data, or something nobody foresaw.
 */
export type Trouble = "configuration" | "tables" | "moment" | "damage" | "unforeseen";

/** A failure in words for people: why, and what to do next. No `why`: what the driver said is all there is. */
export interface Explanation {
  readonly trouble: Trouble;
  readonly why?: string;
}

/**
 * The one translation of PostgreSQL's, the pooler's and the connection's errors. `doing` says what was tried, with the
 * database or row, and never with a password. What fails while the store is being opened may be a matter of
 * configuration, later it is one of the moment.
 */
export function postgresFailure(error: unknown, doing: string, moment: Moment = "working"): TapeError {
  if (error instanceof TapeError) return error;
  const said = whatItSaid(error);
  const state = sqlState(error);
  const { trouble, why } =
    state === undefined ? explainConnection(codeOf(error), said) : explainServer(state, said, isFatal(error));
  return new TapeError(reasonFor(trouble, moment), `${doing} failed: ${why ?? said}`, {
    cause: withoutData(error, said),
  });
}

function reasonFor(trouble: Trouble, moment: Moment): TapeErrorReason {
  switch (trouble) {
    case "configuration":
      return moment === "opening" ? "STORE_NOT_USABLE" : "STORE_UNAVAILABLE";
    case "tables":
      return "STORE_NOT_USABLE";
    case "moment":
      return "STORE_UNAVAILABLE";
    case "damage":
      return "STORE_CORRUPT";
    case "unforeseen":
      return "INTERNAL";
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Data exceptions, broken constraints and errors raised by triggers quote the values they are about. */
const quotesData = /^(?:22|23|P0)/;
const longest = 300;

/** The message on one line. Only this: the server's detail, hint and context quote rows and statements. */
function whatItSaid(error: unknown): string {
  const state = sqlState(error);
  // What is fatal is about the session, not about data.
  if (state !== undefined && quotesData.test(state) && !isFatal(error)) return "the server refused a value";
  const line = (error instanceof Error ? error.message : String(error)).replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  // Several addresses were tried: such an error has a code, but says nothing itself.
  const text = line === "" ? codeOf(error) || "no reason was given" : line;
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

/**
 * The cause as it may be logged: the message that may be said, where it happened, the codes. The original carries what
 * the server quoted, and from a pool the client with its settings.
 */
function withoutData(error: unknown, said: string): Error {
  const cause = new Error(said);
  if (!(error instanceof Error)) return cause;
  cause.name = error.name;
  const frames = (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line));
  cause.stack = [`${error.name}: ${said}`, ...frames].join("\n");
  const code = codeOf(error);
  const severity = "severity" in error && typeof error.severity === "string" ? error.severity : undefined;
  return Object.assign(cause, code === "" ? {} : { code }, severity === undefined ? {} : { severity });
}
