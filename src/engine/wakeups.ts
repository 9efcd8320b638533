import type { RowId } from "../model/row.ts";

/**
 * Tells waiters that something was committed, here or elsewhere. A wake-up is a hint: whoever waits reads again.
 */
export class Wakeups {
  readonly #rows = new Map<RowId, Set<() => void>>();
  readonly #feed = new Set<() => void>();
  readonly #onWaiters: () => void;

  /** `onWaiters` is called whenever somebody starts to wait. */
  constructor(onWaiters: () => void) {
    this.#onWaiters = onWaiters;
  }

  /** How many are waiting. */
  get waiters(): number {
    let count = this.#feed.size;
    for (const waiting of this.#rows.values()) count += waiting.size;
    return count;
  }

  /**
   * Starts listening before the caller reads, so that no commit falls between. `wait` resolves at the first commit on
   * the row (or, without a row, anywhere) since then, or when the signal fires.
   */
  listen(row: RowId | null, signal: AbortSignal): { wait(): Promise<void>; stop(): void } {
    const set = row === null ? this.#feed : (this.#rows.get(row) ?? new Set());
    if (row !== null) this.#rows.set(row, set);
    let heard = false;
    let wake = (): void => {
      heard = true;
    };
    const hear = (): void => {
      wake();
    };
    const stop = (): void => {
      set.delete(hear);
      if (row !== null && set.size === 0 && this.#rows.get(row) === set) this.#rows.delete(row);
      signal.removeEventListener("abort", hear);
    };
    set.add(hear);
    signal.addEventListener("abort", hear, { once: true });
    this.#onWaiters();
    const wait = (): Promise<void> =>
      new Promise((resolve) => {
        const done = (): void => {
          stop();
          resolve();
        };
        if (heard || signal.aborted) done();
        else wake = done;
      });
    return { wait, stop };
  }

  /** This row was committed here. Without entries there is nothing new in the feed. */
  committed(row: RowId, hasEntries: boolean): void {
    const waiting = this.#rows.get(row);
    if (waiting !== undefined) for (const hear of waiting) hear();
    if (hasEntries) for (const hear of this.#feed) hear();
  }

  /** Anything may have been committed elsewhere. */
  all(): void {
    for (const waiting of this.#rows.values()) for (const hear of waiting) hear();
    for (const hear of this.#feed) hear();
  }
}
