import { emptyHead, encodeHead } from "../codec/head.ts";
import type { IndexKey } from "../model/row.ts";
import type { Append, Store } from "../store/store.ts";
import type { Clock } from "./clock.ts";
import type { IdSource } from "./id-source.ts";
import { resolveUnknown, type KnownOutcome } from "./resolve-unknown.ts";
import { emptyGroup, type Group, type RowSlot } from "./row-slot.ts";

/** What a committer needs, and whom it tells. */
export interface CommitterOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** The group is durable. */
  readonly onCommitted: (slot: RowSlot, group: Group, addedKeys: readonly IndexKey[]) => void;
  /** Somebody else was first: nothing of the group was written. */
  readonly onConflict: (slot: RowSlot, group: Group) => void;
  /** The store could not be asked, or refused. `slot.sending` may still hold the group. */
  readonly onFailed: (slot: RowSlot, error: unknown) => void;
}

/** A batch larger than this is sent without waiting for more. */
const batchBytes = 8 * 1024 * 1024;
/**
 * From this many rows on, callers in step with each other are split over the appends that may be in flight, so that one
 * half is decided while the other is committed. On SQLite with two free cores that is 0.96 to 1.44 times the commits/s
 * at 16 callers and 1.09 to 1.18 times at 64; with one core about 0.8 times. Fewer rows would only pay for a second fsync.
 */
const worthSplitting = 16;

/**
 * Group commit: everything that arrives while an append is in flight rides in the next one. No timer, and no row twice
 * in flight.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #store: Store;
  readonly #dirty = new Set<RowSlot>();
  /** Counters since the start. */
  readonly stats: { commits: number; batches: number; entries: number; conflicts: number; unknownOutcomes: number } = {
    commits: 0,
    batches: 0,
    entries: 0,
    conflicts: 0,
    unknownOutcomes: 0,
  };
  #inFlight = 0;
  #flushPlanned = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#store = options.store;
  }

  /** This slot's group has something to write. */
  add(slot: RowSlot): void {
    this.#dirty.add(slot);
    this.#planFlush();
  }

  /** This slot's group was given up. */
  remove(slot: RowSlot): void {
    this.#dirty.delete(slot);
  }

  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    // After this turn's input has been read, so that calls that arrived together are committed together.
    setImmediate(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { concurrentAppends } = this.#store.capabilities;
    while (this.#inFlight < concurrentAppends) {
      const ready = [...this.#dirty].filter((slot) => slot.sending === null && slot.group !== null);
      if (ready.length === 0) return;
      const batch = this.#take(ready, concurrentAppends - this.#inFlight);
      for (const slot of batch) this.#dirty.delete(slot);
      void this.#commit(batch);
    }
  }

  /** The next batch: all that is ready, or, when much is and the store takes several appends, a fair share of it. */
  #take(ready: readonly RowSlot[], free: number): RowSlot[] {
    const share = ready.length < worthSplitting ? ready.length : Math.ceil(ready.length / free);
    const batch: RowSlot[] = [];
    let bytes = 0;
    for (const slot of ready.slice(0, Math.min(share, this.#store.capabilities.maxBatch))) {
      bytes += slot.group?.bytes ?? 0;
      if (batch.length > 0 && bytes > batchBytes) break;
      batch.push(slot);
    }
    return batch;
  }

  async #commit(slots: RowSlot[]): Promise<void> {
    this.#inFlight += 1;
    this.stats.batches += 1;
    slots.sort((a, b) => (a.row < b.row ? -1 : 1));
    const sent: Sent[] = [];
    for (const slot of slots) {
      try {
        sent.push(this.#send(slot));
      } catch (error) {
        this.#options.onFailed(slot, error);
      }
    }
    try {
      const outcomes = await this.#store.append(sent.map((item) => item.append));
      sent.forEach((item, i) => {
        const outcome = outcomes[i];
        if (outcome?.kind === "unknown" || outcome === undefined) void this.#findOut(item, outcome?.cause);
        else this.#settle(item, outcome);
      });
    } catch (error) {
      for (const { slot } of sent) this.#options.onFailed(slot, error);
    }
    this.#inFlight -= 1;
    this.#flush();
  }

  #send(slot: RowSlot): Sent {
    const { state, rules } = slot;
    const group = slot.group ?? emptyGroup();
    if (state === null) throw new RangeError(`row ${slot.row} has calls without a state`);
    slot.sending = group;
    slot.group = null;
    const keys = rules.indexKeys(state, slot.partition);
    const add = group.writesAllKeys ? keys : without(keys, slot.keys);
    const had = group.staleKeys.length === 0 ? slot.keys : [...slot.keys, ...group.staleKeys];
    const remove = without(had, keys);
    const trimBelow = rules.trimBelow(state);
    const append: Append = {
      row: slot.row,
      expect: slot.version,
      commitId: this.#options.ids.commitId(),
      head: slot.isEmpty && !group.changesRow ? emptyHead : encodeHead(rules.head(state)),
      entries: group.entries,
      trimBelow: trimBelow > slot.trimmedBelow ? trimBelow : undefined,
      dropBodiesBelow: slot.bodiesFrom > slot.droppedBelow ? slot.bodiesFrom : undefined,
      index: { add, remove },
    };
    return { slot, append, keys };
  }

  /** Nobody knows whether the append happened: finds out, never guesses. */
  async #findOut(sent: Sent, cause: unknown): Promise<void> {
    this.stats.unknownOutcomes += 1;
    try {
      this.#settle(sent, await resolveUnknown(this.#store, sent.append, this.#options.clock, cause));
    } catch (error) {
      this.#options.onFailed(sent.slot, error);
    }
  }

  #settle({ slot, append, keys }: Sent, outcome: KnownOutcome): void {
    if (outcome.kind === "refused") {
      this.#options.onFailed(slot, outcome.error);
      return;
    }
    const group = slot.sending ?? emptyGroup();
    slot.sending = null;
    if (outcome.kind === "conflict") {
      this.stats.conflicts += 1;
      this.#options.onConflict(slot, group);
      return;
    }
    this.stats.commits += 1;
    this.stats.entries += append.entries.length;
    slot.version = append.expect + 1;
    slot.keys = keys;
    slot.isEmpty = append.head === emptyHead;
    slot.trimmedBelow = append.trimBelow ?? slot.trimmedBelow;
    slot.droppedBelow = append.dropBodiesBelow ?? slot.droppedBelow;
    this.#options.onCommitted(slot, group, append.index.add);
    if (slot.group?.dirty === true) this.#planFlush();
  }
}

interface Sent {
  readonly slot: RowSlot;
  readonly append: Append;
  readonly keys: readonly IndexKey[];
}

/** Whether this key is among these. */
export const includesKey = (keys: readonly IndexKey[], wanted: IndexKey): boolean =>
  keys.some((key) => isKey(wanted, key));

const isKey = (key: IndexKey, other: IndexKey | undefined): boolean =>
  key.key === other?.key && key.index === other.index;

/** Those keys that are not among others. Mostly both are the same, in the same order. */
const without = (keys: readonly IndexKey[], others: readonly IndexKey[]): readonly IndexKey[] =>
  keys.filter((key, i) => !isKey(key, others[i]) && !includesKey(others, key));
