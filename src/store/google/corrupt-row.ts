import { TapeError } from "../../errors.ts";
import type { RowId } from "../../model/row.ts";

/** Stored data that cannot be read. */
export const corruptRow = (row: RowId, why: string, cause?: unknown): TapeError =>
  new TapeError("STORE_CORRUPT", `row ${row} cannot be read: ${why}; restore the table from a backup`, { cause });
