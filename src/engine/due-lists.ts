import { indexName, type Partition } from "../codec/row-id.ts";
import { timeKey, timeOfKey } from "../codec/time-key.ts";
import type { Due, ListDue } from "../journal/run/due.ts";
import type { RunEvent } from "../journal/run/events.ts";
import type { Run } from "../journal/run/run.ts";
import type { Decide } from "../journal/row.ts";
import type { Limits } from "../journal/limits.ts";
import { runRules } from "../journal/run/rules.ts";
import type { RowId } from "../model/row.ts";
import type { ScanItem, Store } from "../store/store.ts";
import { BodyReader } from "./bodies.ts";
import { DamagedRows } from "./damaged-rows.ts";
import { fillPage } from "./page.ts";
import type { Pipeline } from "./pipeline.ts";
import { plainCall } from "./row-slot.ts";

const scanPage = 64;

/** What to list. */
export interface DueQuery<T> {
  readonly partition: Partition;
  readonly limits: Limits;
  /** Index name behind the partition. */
  readonly index: readonly [string, ...string[]];
  /** Keys later than this are not due. */
  readonly untilMs: number;
  readonly limit: number;
  readonly list: ListDue<T>;
  /** What to do with a row whose key promised something it does not have. */
  readonly tidy?: Decide<Run, RunEvent, unknown>;
}

/** Items whose payloads are read together, at first: each may be as large as a message. */
const firstBatch = 8;

/** An item, and the run that it is of. */
interface Found<T> extends Due<T> {
  readonly row: RowId;
}

/**
 * Lists what is due over all runs, earliest first. Keys of an index are hints: each run is asked. A key is never later
 * than what it stands for, so an item may be given out once all keys up to its time have been looked at. Gives fewer than asked
 * for where they would not fit into a message (R7).
 */
export async function listDue<T>(pipeline: Pipeline, store: Store, query: DueQuery<T>): Promise<readonly T[]> {
  const { partition, limit } = query;
  const [name, ...more] = query.index;
  const index = indexName(partition, name, ...more);
  const found: Found<T>[] = [];
  /** A row may have a key that it does not want any more beside the one it has. */
  const asked = new Set<RowId>();
  const damaged = new DamagedRows();
  let after: ScanItem | undefined;
  for (;;) {
    const page = await store.scan(index, { to: timeKey(query.untilMs + 1), after, limit: Math.min(scanPage, limit) });
    const fresh = page.items.filter(({ row }) => !asked.has(row) && asked.add(row));
    const parts = await Promise.all(fresh.map((item) => damaged.skip(ask(pipeline, store, query, index, item), [])));
    found.push(...parts.flat());
    found.sort((a, b) => a.dueMs - b.dueMs);
    const seenUntil = page.next === undefined ? Infinity : timeOfKey(page.next.key);
    const ready = found.filter((due) => due.dueMs <= seenUntil);
    if (page.next === undefined || ready.length >= limit) {
      const items = await withPayloads(store, query, ready.slice(0, limit), damaged);
      damaged.check(items.length);
      return items;
    }
    after = page.next;
  }
}

async function ask<T>(
  pipeline: Pipeline,
  store: Store,
  query: DueQuery<T>,
  index: string,
  { key, row }: ScanItem,
): Promise<readonly Found<T>[]> {
  const target = { row, partition: query.partition, rules: runRules };
  const items = await pipeline.execute(target, query.list, plainCall);
  if (items.length === 0) {
    if (query.tidy !== undefined) await pipeline.execute(target, query.tidy, plainCall);
    if (!store.capabilities.atomicIndex) await pipeline.dropStaleKey(target, { index, key });
  }
  return items.map((item) => ({ ...item, row }));
}

/** Payloads are read last, and no more of them than the answer has room for. */
async function withPayloads<T>(
  store: Store,
  { limits }: DueQuery<T>,
  due: readonly Found<T>[],
  damaged: DamagedRows,
): Promise<readonly T[]> {
  const reader = new BodyReader(store);
  const itemOf = async ({ row, seqs, view, kept }: Found<T>): Promise<T> => {
    if (seqs.every((seq) => kept(seq) !== undefined)) return view(kept);
    const bodies = await reader.read(row, seqs, kept);
    return view((seq) => bodies.get(seq));
  };
  const read = (from: number, count: number): Promise<(T | undefined)[]> =>
    Promise.all(due.slice(from, from + count).map((item) => damaged.skip(itemOf(item), undefined)));
  const items = await fillPage({ size: due.length, limits, firstBatch, read });
  return items.filter((item) => item !== undefined);
}
