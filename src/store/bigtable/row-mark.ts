import { TapeError } from "../../errors.ts";
import type { RowId, Seq } from "../../model/row.ts";
import { corruptRow } from "../google/corrupt-row.ts";
import type { Version } from "../store.ts";

/** What the cell `v` of a row says. Every commit and every fence changes it, so it is what a commit is conditional on. */
export interface RowMark {
  /** Appends the row has had. 0: none yet, the row exists only because a writer was fenced off. */
  readonly version: Version;
  /** Fences since the last append: each makes every append that is under way fail, and it alone. */
  readonly fence: number;
  /** Of the append that made this version; `-` at version 0. */
  readonly commitId: string;
  /** The time of the row's newest feed key; the next one is later. */
  readonly feedMs: number;
  /** Bytes that the row's cells hold. */
  readonly bytes: number;
  /** Seq of the newest entry the row ever had. */
  readonly lastSeq: Seq;
}

/** The mark of a row that is not there. */
export const noMark: RowMark = Object.freeze({ version: 0, fence: 0, commitId: "-", feedMs: 0, bytes: 0, lastSeq: 0 });

const format = "t1";
const shape = /^(\w+) (\d+)\.(\d+) (\S+) (\d+) (\d+) (\d+)$/;

/** The cell's text: format, version.fence, commit id, time of the feed key, bytes, newest seq. */
export const encodeMark = ({ version, fence, commitId, feedMs, bytes, lastSeq }: RowMark): string =>
  `${format} ${version}.${fence} ${commitId} ${feedMs} ${bytes} ${lastSeq}`;

/** Reads a cell. Errors: STORE_CORRUPT, FORMAT_NEWER. */
export function decodeMark(cell: Buffer, row: RowId): RowMark {
  const [, found, ...fields] = shape.exec(cell.toString("latin1")) ?? [];
  if (found === undefined) throw corruptRow(row, `its cell v cannot be read`);
  if (found !== format) throw newerFormat(row);
  const [, , commitId = ""] = fields;
  const [version = 0, fence = 0, , feedMs = 0, bytes = 0, lastSeq = 0] = fields.map(Number);
  if (![version, fence, feedMs, bytes, lastSeq].every(Number.isSafeInteger)) {
    throw corruptRow(row, `its cell v cannot be read`);
  }
  return { version, fence, commitId, feedMs, bytes, lastSeq };
}

/** Stored data of a newer Tape. */
export const newerFormat = (row: RowId): TapeError =>
  new TapeError("FORMAT_NEWER", `row ${row} was written by a newer version of Tape; update this one`);
