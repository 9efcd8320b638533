import { TapeError } from "../src/errors.ts";

/** What went wrong, for a report: an error of Tape says what to do; of any other the place matters. */
export function wordsOfError(error: unknown): string {
  if (error instanceof TapeError) return `${error.reason}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
