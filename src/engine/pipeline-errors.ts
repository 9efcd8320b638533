import { TapeError } from "../errors.ts";
import type { RowId } from "../model/row.ts";

/** The pipeline takes no more calls. */
export const shuttingDown = (): TapeError =>
  new TapeError("SHUTTING_DOWN", "Tape is shutting down; try again on another server or after the restart");

/** Too many calls wait already. */
export const overloaded = (pending: number): TapeError =>
  new TapeError("OVERLOADED", `Tape is overloaded: ${pending} calls are waiting; try again with back-off`);

/** A call lost against other writers too often. */
export const contended = (row: RowId): TapeError =>
  new TapeError("WRITE_CONFLICT", `row ${row} is written by too many at once; try again`, { ids: { row } });
