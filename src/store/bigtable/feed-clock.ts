/** Entries that one server announces under one millisecond, before it takes the next: several share its 4,096 places. */
const entriesPerMs = 1024;

/**
 * Gives the times of feed keys. Never falls back, and what begins after an append was acknowledged gets a later time than
 * it, so that the feed tells what one server did in the order in which it did it.
 */
export class FeedClock {
  readonly #now: () => number;
  #last = 0;
  #entries = 0;
  #acknowledged = 0;

  /** @param now The machine's clock, milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A time for an append of that many entries, later than `after`. */
  take(after: number, entries: number): number {
    let ms = Math.max(this.#now(), this.#last, this.#acknowledged + 1, after + 1);
    if (ms === this.#last && this.#entries > 0 && this.#entries + entries > entriesPerMs) ms += 1;
    if (ms > this.#last) this.#entries = 0;
    this.#last = ms;
    this.#entries += entries;
    return ms;
  }

  /** An append with this time was answered. */
  acknowledged(ms: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, ms);
  }
}
