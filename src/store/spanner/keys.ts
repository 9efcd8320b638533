import { createHash } from "node:crypto";
import type { RowId, Seq } from "../../model/row.ts";
import type { KeySet } from "./driver.ts";
import { startingWith, timestampOf, wireList, type ColumnValue, type Moment } from "./values.ts";

/** Over how many ranges of keys rows are spread. */
const rowShards = 256;
/** Over how many each index and the feed are: a reader looks at all. */
const orderShards = 16;

/** The seq that heads are kept under; entries begin with 1. */
export const headSeq = 0;

/** The shards of an index or of the feed. */
export const shards: readonly number[] = Array.from({ length: orderShards }, (_, shard) => shard);

/** A hash of the row: names alone would pile up at one end of the table, where the newest ones are. */
const spread = (row: RowId): number => createHash("sha256").update(row).digest()[0] ?? 0;

/** The shard of a row, and of its entries and bodies. */
const rowShard = (row: RowId): number => spread(row) % rowShards;
/** The shard of a row's index keys and feed rows. */
export const orderShard = (row: RowId): number => spread(row) % orderShards;

/** How the key of everything about a row begins. */
export const rowKey = (row: RowId): readonly ColumnValue[] => [rowShard(row), row];

/** Seqs of a row, both ends inclusive. */
export const seqRange = (row: RowId, from: Seq, to: Seq): NonNullable<KeySet["ranges"]>[number] => ({
  startClosed: wireList([...rowKey(row), from]),
  endClosed: wireList([...rowKey(row), to]),
});

/** Entries of a row below a seq, without its head. */
export const seqsBelow = (row: RowId, below: Seq): KeySet => seqsFrom(row, 1, below);

/** What a row has from one seq on, below another one. */
export const seqsFrom = (row: RowId, from: Seq, below: Seq): KeySet => ({
  ranges: [{ startClosed: wireList([...rowKey(row), from]), endOpen: wireList([...rowKey(row), below]) }],
});

/** Entries of a row behind a seq. */
export const seqsAfter = (row: RowId, after: Seq): NonNullable<KeySet["ranges"]>[number] => ({
  startOpen: wireList([...rowKey(row), after]),
  endClosed: wireList(rowKey(row)),
});

/** The head of a row, which stands before its entries. */
export const headKey = (row: RowId): NonNullable<KeySet["ranges"]>[number] => startingWith(...rowKey(row), headSeq);

/** The parts of a body. */
export const bodyParts = (row: RowId, seq: Seq): NonNullable<KeySet["ranges"]>[number] =>
  startingWith(...rowKey(row), seq);

/** A shard of the feed from a moment on, inclusive or not. */
export function feedRange(shard: number, from: Moment, inclusive = true): NonNullable<KeySet["ranges"]>[number] {
  const start = wireList([shard, timestampOf(from)]);
  const end = wireList([shard]);
  return inclusive ? { startClosed: start, endClosed: end } : { startOpen: start, endClosed: end };
}
