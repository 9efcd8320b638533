import { lookBackMs, placeIn } from "./feed-position.ts";
import type { FeedEntry, FeedPage, FeedPosition, TailOptions } from "./store.ts";

/**
 * A page of a feed whose order is that of times: it is filled commit after commit, and counts places from where the
 * reading began, so that every reader gives the same ones.
 */
export class TimedFeedPage implements FeedPage {
  readonly entries: FeedEntry[] = [];
  next: FeedPosition;
  readonly #after: FeedPosition;
  readonly #limit: number;
  #last: FeedPosition = 0;

  constructor({ after, limit }: Pick<TailOptions, "after" | "limit">) {
    this.#after = after;
    this.#limit = limit;
    this.next = after;
  }

  /** It takes no more. */
  get isFull(): boolean {
    return this.entries.length >= this.#limit;
  }

  /** Whether an entry of a commit of that time may be behind the cursor. */
  mayHold(ms: number, count: number): boolean {
    return placeIn(ms + lookBackMs, 0) + count > this.#after;
  }

  /** The next commit, with its entries from the first to the last; those that have gone keep their places. */
  add(ms: number, entries: readonly (Omit<FeedEntry, "position"> | undefined)[]): void {
    for (const entry of entries) {
      const position = placeIn(ms, this.#last);
      this.#last = position;
      if (position <= this.#after) continue;
      if (this.isFull) return;
      this.next = position;
      if (entry !== undefined) this.entries.push({ ...entry, position });
    }
  }
}
