import { TapeError } from "../errors.ts";
import type { Seq } from "../model/row.ts";

/** The first seq from `from` on that is not among entries, which are in order. */
export function firstMissing(entries: readonly { readonly seq: Seq }[], from: Seq): Seq {
  let next = from;
  for (const { seq } of entries) {
    if (seq < from) continue;
    if (seq !== next) break;
    next += 1;
  }
  return next;
}

/** An entry that the row's head says there is, and is not: what follows must not be given as if it had never been. */
export const entryMissing = (row: string, seq: Seq): TapeError =>
  new TapeError(
    "STORE_CORRUPT",
    `row ${row} cannot be read: its entry ${seq} is missing; restore the store from a backup`,
  );
