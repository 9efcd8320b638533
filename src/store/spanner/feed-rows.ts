import type { RowId, Seq } from "../../model/row.ts";
import type { TimedCommit } from "../apart-milliseconds.ts";
import { maxEntries } from "../store.ts";
import type { Database } from "./database.ts";
import { feedRange } from "./keys.ts";
import { byText, readShards } from "./sharded-read.ts";
import { msOfTimestamp, sortableTimestamp, type Moment, type ResultRow } from "./values.ts";

/** What a commit added to one row. */
export interface FeedRow extends TimedCommit {
  readonly committedAt: string;
  readonly row: RowId;
  readonly first: Seq;
  /** Its first entry, or how many they are, cannot be: that is {@link noSeq} then, or 0. */
  readonly isDamaged: boolean;
}

/** The first rows of the feed from a moment on, in its order; cut: there may be more. */
export interface FeedRows {
  readonly rows: readonly FeedRow[];
  readonly at: Moment;
  readonly isCut: boolean;
}

/** Reads the feed's rows, as of now or of another moment. */
export async function readFeed(database: Database, from: Moment, limit: number, asOf?: Moment): Promise<FeedRows> {
  const { rows, at, isCut } = await readShards(database, {
    table: "tape_feed",
    columns: ["committed_at", "row_id", "first_seq", "entries"],
    range: (shard) => feedRange(shard, from),
    limit,
    // They are short.
    spare: 1000,
    at: asOf,
    compare: (a, b) =>
      byText(sortableTimestamp(a.text(0)), sortableTimestamp(b.text(0))) || byText(a.text(1), b.text(1)),
  });
  return { rows: rows.map(feedRow), at, isCut };
}

function feedRow(row: ResultRow): FeedRow {
  const [first, count] = [row.number(2), row.number(3)];
  const isFirst = Number.isSafeInteger(first) && first >= 1;
  const isCount = count >= 1 && count <= maxEntries;
  return {
    committedAt: row.text(0),
    ms: msOfTimestamp(row.text(0)),
    row: row.text(1) as RowId,
    first: isFirst ? first : noSeq,
    count: isCount ? count : 0,
    isDamaged: !isFirst || !isCount,
  };
}

/** Where a row has no entries: what is damaged stands for places without any. */
export const noSeq: Seq = Number.MAX_SAFE_INTEGER - maxEntries;
