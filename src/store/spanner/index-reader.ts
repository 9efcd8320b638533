import type { RowId } from "../../model/row.ts";
import type { ScanItem, ScanOptions, ScanPage } from "../store.ts";
import type { Database } from "./database.ts";
import type { KeyRange } from "./driver.ts";
import { byText, readShards } from "./sharded-read.ts";
import { wireList } from "./values.ts";

/** See {@link Store.scan}. As of now, not of a while ago: no list is behind what was acknowledged. */
export async function scanIndex(database: Database, index: string, options: ScanOptions): Promise<ScanPage> {
  const { rows, isCut } = await readShards(database, {
    table: "tape_index",
    columns: ["key", "row_id"],
    range: (shard) => rangeOf(index, shard, options),
    limit: options.limit,
    spare: 250,
    compare: (a, b) => byText(a.text(0), b.text(0)) || byText(a.text(1), b.text(1)),
  });
  const items = rows.map((row): ScanItem => ({ key: row.text(0), row: row.text(1) as RowId }));
  return isCut ? { items, next: items.at(-1) } : { items };
}

function rangeOf(index: string, shard: number, { from = "", to, after }: ScanOptions): KeyRange {
  const end = to === undefined ? { endClosed: wireList([index, shard]) } : { endOpen: wireList([index, shard, to]) };
  return after === undefined || after.key < from
    ? { startClosed: wireList([index, shard, from]), ...end }
    : { startOpen: wireList([index, shard, after.key, after.row]), ...end };
}
