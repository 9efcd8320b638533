import type { RowId, Seq } from "../../model/row.ts";
import type { TimedCommit } from "../apart-milliseconds.ts";
import type { Database } from "./database.ts";
import { feedRange } from "./keys.ts";
import { byText, readShards } from "./sharded-read.ts";
import { msOfTimestamp, sortableTimestamp, type Moment, type ResultRow } from "./values.ts";

/** What a commit added to one row. */
export interface FeedRow extends TimedCommit {
  readonly committedAt: string;
  readonly row: RowId;
  readonly first: Seq;
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

const feedRow = (row: ResultRow): FeedRow => ({
  committedAt: row.text(0),
  ms: msOfTimestamp(row.text(0)),
  row: row.text(1) as RowId,
  first: row.number(2),
  count: row.number(3),
});
