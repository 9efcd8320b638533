import type { FeedPage, FeedPosition, Store } from "../store/store.ts";

/** Entries of a page. */
const pageEntries = 256;
/** Pages kept for shards that are a little behind. */
const keptPages = 8;

/** Reads the feed once for all shards that are at the same place in it. */
export class FeedPages {
  readonly #store: Store;
  readonly #pages = new Map<FeedPosition, Promise<FeedPage>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** What follows; a page whose `next` is `after` is the end of the feed, as of this call. */
  async read(after: FeedPosition): Promise<FeedPage> {
    const shared = this.#pages.get(after);
    if (shared !== undefined) {
      const page = await shared.catch(() => undefined);
      if (page !== undefined && page.next !== after) return page;
      // An end that was read before this call may be one no more. All who learn that now read once again, together.
      const again = this.#pages.get(after);
      if (again !== undefined && again !== shared) return again;
    }
    const read = this.#store.tail({ after, limit: pageEntries });
    this.#keep(after, read);
    return read;
  }

  #keep(after: FeedPosition, read: Promise<FeedPage>): void {
    this.#pages.set(after, read);
    const forget = (): void => {
      if (this.#pages.get(after) === read) this.#pages.delete(after);
    };
    read.then((page) => {
      if (page.next === after) forget();
    }, forget);
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= keptPages) break;
      this.#pages.delete(oldest);
    }
  }
}
