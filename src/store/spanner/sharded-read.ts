import type { Database, Snapshot } from "./database.ts";
import type { KeyRange } from "./driver.ts";
import { shards } from "./keys.ts";
import type { Moment, ResultRow } from "./values.ts";

/** What to read of all shards. */
export interface ShardedRead {
  readonly table: string;
  readonly columns: readonly string[];
  readonly range: (shard: number) => KeyRange;
  /** Rows that are wanted, at least 1. */
  readonly limit: number;
  /** How many more are worth reading, where that spares a call for each shard. */
  readonly spare: number;
  /** Default: now. */
  readonly at?: Moment | undefined;
  /** The order over all shards. */
  readonly compare: (a: ResultRow, b: ResultRow) => number;
}

/** The first rows of all shards in their order; cut: there may be more. */
export interface ShardedRows extends Snapshot {
  readonly isCut: boolean;
}

/**
 * Reads ranges of all shards, all as of one moment: in one call where that brings everything, otherwise each in a call of
 * its own, together and as of the moment of the first.
 */
export async function readShards(database: Database, read: ShardedRead): Promise<ShardedRows> {
  const { table, columns, range, limit, spare, compare } = read;
  const most = limit + spare;
  const all = { table, columns, keySet: { ranges: shards.map(range) }, limit: most };
  const { rows, at } = await database.read(all, read.at);
  if (rows.length < most) {
    const sorted = rows.toSorted(compare);
    return { rows: sorted.slice(0, limit), at, isCut: sorted.length > limit };
  }
  const parts = await Promise.all(
    shards.map((shard) => database.read({ table, columns, keySet: { ranges: [range(shard)] }, limit }, at)),
  );
  const merged = parts.flatMap((part) => part.rows).toSorted(compare);
  return { rows: merged.slice(0, limit), at, isCut: merged.length >= limit };
}

/** Texts by their bytes, for printable ASCII. */
export const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
