import { LRUCache } from "lru-cache";
import type { Partition } from "../codec/row-id.ts";
import type { RowRules } from "../journal/row.ts";
import type { RowId } from "../model/row.ts";
import { RowSlot, type RowEvent, type RowState } from "./row-slot.ts";

/** A row that a call is about. */
export interface Target<S extends RowState, E> {
  readonly row: RowId;
  readonly partition: Partition;
  readonly rules: RowRules<S, E>;
  /**
   * The row is hardly there, so it is not looked for: the append of what is decided on its absence finds out, as it finds
   * out about any cached row.
   */
  readonly presumedAbsent?: true;
}

/** Rows in memory: those with calls under way, and, up to a number of bytes, those that were used last. */
export class SlotCache {
  readonly #active = new Map<RowId, RowSlot>();
  readonly #resting: LRUCache<RowId, RowSlot>;

  constructor(maxBytes: number) {
    this.#resting = new LRUCache({ maxSize: Math.max(1, maxBytes), sizeCalculation: (slot) => slot.bytes });
  }

  /** The slot of this row, from now on active. */
  get<S extends RowState, E>(target: Target<S, E>): RowSlot {
    const active = this.#active.get(target.row);
    if (active !== undefined) return active;
    const resting = this.#resting.get(target.row);
    const slot =
      resting ?? new RowSlot(target.row, target.partition, target.rules as unknown as RowRules<RowState, RowEvent>);
    if (resting !== undefined) this.#resting.delete(target.row);
    else if (target.presumedAbsent === true) slot.restore(0, null, []);
    this.#active.set(target.row, slot);
    return slot;
  }

  /** The slot of this row if calls on it are under way. */
  active(row: RowId): RowSlot | undefined {
    return this.#active.get(row);
  }

  /** Lets a slot rest if nobody needs it just now. */
  rest(slot: RowSlot): void {
    if (!slot.idle || this.#active.get(slot.row) !== slot) return;
    this.#active.delete(slot.row);
    if (slot.state !== null) this.#resting.set(slot.row, slot);
  }

  /** How many rows, and roughly how many bytes those at rest take. */
  stats(): { cachedRows: number; cacheBytes: number } {
    return { cachedRows: this.#active.size + this.#resting.size, cacheBytes: this.#resting.calculatedSize };
  }
}
