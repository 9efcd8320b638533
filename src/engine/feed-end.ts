import type { FeedPosition, Store } from "../store/store.ts";
import { lastEntry } from "./feed-start.ts";

/**
 * Where the feed ends, for many who ask at once. A search takes dozens of reads one after the other, so that one for each
 * of many callers keeps a database busy for longer than they wait: those who come while one is under way share the next.
 */
export class FeedEnd {
  readonly #store: Store;
  /** Has had an entry, or 0. */
  #known: FeedPosition = 0;
  /** Settles when the search has ended that began last. */
  #begun: Promise<unknown> = Promise.resolve();
  /** A search that has not begun. */
  #next: Promise<FeedPosition> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The position of the last entry that the feed gives, looked for after the question; 0 when there is none. */
  position(): Promise<FeedPosition> {
    if (this.#next !== undefined) return this.#next;
    const search = this.#begun.then(() => {
      this.#next = undefined;
      return this.#search();
    });
    this.#next = search;
    this.#begun = search.catch(() => undefined);
    return search;
  }

  /** Somebody knows of an entry at this position: the search begins there. */
  learn(position: FeedPosition): void {
    this.#known = Math.max(this.#known, position);
  }

  async #search(): Promise<FeedPosition> {
    const from = this.#known;
    // The entries that were last may have been removed since.
    const last = (await lastEntry(this.#store, from)) ?? (from === 0 ? undefined : await lastEntry(this.#store));
    const found = last?.position ?? 0;
    this.#known = found;
    return found;
  }
}
