import type { Filter } from "./driver.ts";
import { shards, type KeyRange, type Keys } from "./keys.ts";
import type { BigtableRow } from "./read-rows.ts";
import type { Table } from "./table.ts";

/** What is found in the ranges of all shards, in one order. */
export interface ShardedRows {
  readonly rows: readonly BigtableRow[];
  /** There may be more: everything up to the last of these rows is among them, and nothing behind it. */
  readonly isCut: boolean;
}

/**
 * Reads the first rows of a range that is spread over all shards: in one call while there are few, else a call a shard,
 * each for its share. Gives at least one row where there is one.
 */
export async function scanShards(
  table: Table,
  keys: Keys,
  options: { readonly range: (shard: string) => KeyRange; readonly filter: Filter; readonly limit: number },
): Promise<ShardedRows> {
  const { range, filter, limit } = options;
  const ranges = shards.map(range).filter(({ start, end }) => start < end);
  const few = 2 * limit + shards.length;
  const all = await table.read({ ranges, filter, limit: few });
  if (all.length < few) return { rows: inOrder(keys, all), isCut: false };

  const share = Math.ceil(limit / 8) + 2;
  const parts = await Promise.all(ranges.map((one) => table.read({ ranges: [one], filter, limit: share })));
  const ends = parts.filter((part) => part.length === share).map((part) => keys.order(part.at(-1)?.key ?? ""));
  const end = ends.length === 0 ? undefined : ends.reduce((a, b) => (a < b ? a : b));
  const rows = inOrder(keys, parts.flat()).filter(({ key }) => end === undefined || keys.order(key) <= end);
  return { rows, isCut: end !== undefined };
}

const inOrder = (keys: Keys, rows: readonly BigtableRow[]): readonly BigtableRow[] =>
  rows.toSorted((a, b) => (keys.order(a.key) < keys.order(b.key) ? -1 : 1));
