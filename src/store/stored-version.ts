import { TapeError } from "../errors.ts";
import type { RowId } from "../model/row.ts";
import type { Version } from "./store.ts";

/**
 * The version that a row was found at. One that no append can have led to would never be met by any either: every write
 * would be told of a conflict, again and again. Errors: STORE_CORRUPT.
 */
export function storedVersion(found: number, row: RowId): Version {
  if (Number.isSafeInteger(found) && found > 0) return found;
  throw new TapeError(
    "STORE_CORRUPT",
    `row ${row} cannot be read: its version is damaged; restore the store from a backup`,
  );
}
