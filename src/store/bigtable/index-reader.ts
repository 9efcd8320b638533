import type { ScanItem, ScanOptions, ScanPage } from "../store.ts";
import { first, newest, withoutValues, chain } from "./cells.ts";
import type { Keys, KeyRange } from "./keys.ts";
import { scanShards } from "./sharded-scan.ts";
import type { Table } from "./table.ts";

const keysOnly = chain(newest(), first(1), withoutValues);

/** Reads a page of an index. See {@link Store.scan}. */
export async function scanIndex(table: Table, keys: Keys, index: string, options: ScanOptions): Promise<ScanPage> {
  const { from = "", to, after, limit } = options;
  const range = (shard: string): KeyRange => {
    const whole = keys.indexRange(shard, index, from, to);
    if (after === undefined) return whole;
    const behind = keys.indexItem(shard, index, after.key, after.row);
    return behind < whole.start ? whole : { ...whole, start: behind, afterStart: true };
  };
  const { rows, isCut } = await scanShards(table, keys, { range, filter: keysOnly, limit });
  const items: readonly ScanItem[] = rows.slice(0, limit).map(({ key }) => keys.parseIndex(key));
  const next = items.at(-1);
  return (isCut || rows.length > limit) && next !== undefined ? { items, next } : { items };
}
