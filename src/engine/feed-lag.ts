import type { FeedPosition, Store } from "../store/store.ts";
import { lastEntry } from "./feed-start.ts";

/** Commits closer together than this count as one, so that a long standstill takes little memory. */
const grainMs = 1000;
/** An hour of commits; while more are undelivered, only the first ones matter. */
const mostTimes = 3600;

/** How far the feed is behind what this process commits. */
export class FeedLag {
  readonly #store: Store;
  /** Times of commits that the feed had not given at the last look, oldest first. */
  #times: number[] = [];
  /** A position that has had an entry, or 0. */
  #known: FeedPosition = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Entries were committed; `atMs` is the time of the last one. */
  committed(atMs: number): void {
    const last = this.#times.at(-1) ?? Number.NEGATIVE_INFINITY;
    if (atMs >= last + grainMs && this.#times.length < mostTimes) this.#times.push(atMs);
  }

  /** For how many milliseconds the oldest commit of this process that the feed does not give yet has been there. */
  async measure(nowMs: number): Promise<number> {
    if (this.#times.length === 0) return 0;
    const newest = await lastEntry(this.#store, this.#known);
    const seenMs = newest?.at ?? Number.NEGATIVE_INFINITY;
    this.#known = newest?.position ?? 0;
    this.#times = this.#times.filter((ms) => ms > seenMs);
    const [oldest] = this.#times;
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest);
  }
}
