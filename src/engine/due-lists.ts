import { indexName, type Partition } from "../codec/row-id.ts";
import { timeKey, timeOfKey } from "../codec/time-key.ts";
import type { Due, ListDue } from "../journal/run/due.ts";
import type { RunEvent } from "../journal/run/events.ts";
import type { Run } from "../journal/run/run.ts";
import type { Decide } from "../journal/row.ts";
import { runRules } from "../journal/run/rules.ts";
import type { RowId } from "../model/row.ts";
import type { ScanItem, Store } from "../store/store.ts";
import type { Pipeline } from "./pipeline.ts";
import { plainCall } from "./row-slot.ts";

const scanPage = 64;

/** What to list. */
export interface DueQuery<T> {
  readonly partition: Partition;
  /** Index name behind the partition. */
  readonly index: readonly [string, ...string[]];
  /** Keys later than this are not due. */
  readonly untilMs: number;
  readonly limit: number;
  readonly list: ListDue<T>;
  /** What to do with a row whose key promised something it does not have. */
  readonly tidy?: Decide<Run, RunEvent, unknown>;
}

/**
 * Lists what is due over all runs, earliest first. Keys of an index are hints: each run is asked. A key is never later
 * than what it stands for, so an item may be given out once all keys up to its time have been looked at.
 */
export async function listDue<T>(pipeline: Pipeline, store: Store, query: DueQuery<T>): Promise<readonly T[]> {
  const { partition, limit } = query;
  const [name, ...more] = query.index;
  const index = indexName(partition, name, ...more);
  const found: Due<T>[] = [];
  /** A row may have a key that it does not want any more beside the one it has. */
  const asked = new Set<RowId>();
  let after: ScanItem | undefined;
  for (;;) {
    const page = await store.scan(index, { to: timeKey(query.untilMs + 1), after, limit: Math.min(scanPage, limit) });
    const fresh = page.items.filter(({ row }) => !asked.has(row) && asked.add(row));
    const parts = await Promise.all(fresh.map((item) => ask(pipeline, store, query, index, item)));
    found.push(...parts.flat());
    found.sort((a, b) => a.dueMs - b.dueMs);
    const seenUntil = page.next === undefined ? Infinity : timeOfKey(page.next.key);
    const ready = found.filter((due) => due.dueMs <= seenUntil);
    if (page.next === undefined || ready.length >= limit) return ready.slice(0, limit).map((due) => due.item);
    after = page.next;
  }
}

async function ask<T>(
  pipeline: Pipeline,
  store: Store,
  query: DueQuery<T>,
  index: string,
  { key, row }: ScanItem,
): Promise<readonly Due<T>[]> {
  const target = { row, partition: query.partition, rules: runRules };
  const items = await pipeline.execute(target, query.list, plainCall);
  if (items.length === 0) {
    if (query.tidy !== undefined) await pipeline.execute(target, query.tidy, plainCall);
    if (!store.capabilities.atomicIndex) await pipeline.dropStaleKey(target, { index, key });
  }
  return items;
}
