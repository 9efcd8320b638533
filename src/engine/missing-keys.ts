import { partitionOfRow, runIdOfRow, type Partition } from "../codec/row-id.ts";
import { toTapeError } from "../errors.ts";
import { endedTaskIndexes } from "../journal/task/task.ts";
import type { RowId } from "../model/row.ts";
import type { ScanItem, Store } from "../store/store.ts";
import { hasKey, indexedTarget, wantedKeys } from "./indexed-rows.ts";
import { withAllKeys } from "./key-fence.ts";
import type { Pipeline } from "./pipeline.ts";

/** Entries of one step, and rows that are looked at together. */
const page = 256;
const atOnce = 8;

/** What one step found; `next` is absent when it was the last one. */
export interface RepairStep {
  readonly repaired: number;
  /** Up to here in the feed all is done. */
  readonly next?: number;
}

/**
 * Writes index keys that rows should have and do not: those of an index that came after them. Every run is in the feed with
 * its first entry, as long as it is there, and tasks that are over are in the lists of the partitions that the feed names.
 */
export class MissingKeys {
  readonly #store: Store;
  readonly #pipeline: Pipeline;
  readonly #onFailure: (error: unknown) => void;
  /** Partitions whose tasks are done. */
  readonly #partitions = new Set<Partition>();

  /** @param onFailure Told of every row that could not be looked at. */
  constructor(store: Store, pipeline: Pipeline, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#pipeline = pipeline;
    this.#onFailure = onFailure;
  }

  /** Goes on behind a position of the feed. Errors: STORE_UNAVAILABLE. */
  async step(after: number): Promise<RepairStep> {
    const { entries, next } = await this.#store.tail({ after, limit: page });
    let repaired = await this.#repairAll(
      entries.flatMap(({ row, seq }) => (seq === 1 && runIdOfRow(row) !== "" ? [row] : [])),
    );
    for (const partition of new Set(entries.map(({ row }) => partitionOfRow(row)))) {
      if (this.#partitions.has(partition)) continue;
      for (const index of endedTaskIndexes) repaired += await this.#repairIndex(`${partition}/${index}`);
      this.#partitions.add(partition);
    }
    return next === after ? { repaired } : { repaired, next };
  }

  async #repairIndex(index: string): Promise<number> {
    let repaired = 0;
    for (let after: ScanItem | undefined; ;) {
      const found = await this.#store.scan(index, { after, limit: page });
      repaired += await this.#repairAll(found.items.map(({ row }) => row));
      if (found.next === undefined) return repaired;
      after = found.next;
    }
  }

  /** A row that cannot be read must not keep the others; a store that is away must. */
  async #repairAll(rows: readonly RowId[]): Promise<number> {
    let repaired = 0;
    for (let from = 0; from < rows.length; from += atOnce) {
      const outcomes = await Promise.allSettled(rows.slice(from, from + atOnce).map((row) => this.#repair(row)));
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") repaired += outcome.value ? 1 : 0;
        else if (toTapeError(outcome.reason).retryable) throw outcome.reason;
        else this.#onFailure(outcome.reason);
      }
    }
    return repaired;
  }

  async #repair(row: RowId): Promise<boolean> {
    const target = indexedTarget(row);
    if (target === undefined) return false;
    const wanted = await wantedKeys(this.#store, target);
    const there = await Promise.all(wanted.map((key) => hasKey(this.#store, key, row)));
    if (there.every(Boolean)) return false;
    return this.#pipeline.changeKeys(target, withAllKeys);
  }
}
