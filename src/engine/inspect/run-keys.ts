import type { ScanItem, Store } from "../../store/store.ts";

/** Where to look for runs. */
export interface RunKeysOptions {
  readonly store: Store;
  /** Indexes whose keys have one order, so that they can be read as one. */
  readonly indexes: readonly string[];
  readonly range: { readonly from?: string; readonly to?: string };
  readonly after: ScanItem | undefined;
  /** Keys of one read. */
  readonly pageSize: number;
}

/** A key, and the index it was found in. */
export interface FoundKey extends ScanItem {
  readonly index: string;
}

/** One index, read ahead by a page. */
interface Source {
  readonly index: string;
  page: readonly ScanItem[];
  /** Keys of the page that were taken. */
  taken: number;
  /** Where the next page begins; `undefined`: there is none. */
  next: ScanItem | undefined;
}

/** The keys of several indexes in one order, read page by page; a row that stands in two of them comes once. */
export class RunKeys {
  readonly #options: RunKeysOptions;
  readonly #sources: Source[];
  #started = false;
  /** Keys that were read. */
  keysRead = 0;
  /** The key that was taken last. */
  last: ScanItem | undefined;

  constructor(options: RunKeysOptions) {
    this.#options = options;
    this.#sources = options.indexes.map((index) => ({ index, page: [], taken: 0, next: options.after }));
    this.last = options.after;
  }

  /** The next key; `undefined` when there is none. */
  async next(): Promise<FoundKey | undefined> {
    await Promise.all(this.#sources.map((source) => this.#fill(source)));
    this.#started = true;
    let first: Source | undefined;
    for (const source of this.#sources) {
      const item = headOf(source);
      const best = headOf(first);
      if (item !== undefined && (best === undefined || isBefore(item, best))) first = source;
    }
    const item = headOf(first);
    if (first === undefined || item === undefined) return undefined;
    for (const source of this.#sources) {
      const other = headOf(source);
      if (other?.row === item.row && other.key === item.key) source.taken += 1;
    }
    this.last = item;
    return { ...item, index: first.index };
  }

  /** Whether there may be another key, as far as is known without reading. */
  get more(): boolean {
    return !this.#started || this.#sources.some((source) => headOf(source) !== undefined || source.next !== undefined);
  }

  async #fill(source: Source): Promise<void> {
    const { store, range, pageSize } = this.#options;
    while (headOf(source) === undefined && (!this.#started || source.next !== undefined)) {
      const { items, next } = await store.scan(source.index, { ...range, after: source.next, limit: pageSize });
      this.keysRead += items.length;
      source.page = items;
      source.taken = 0;
      source.next = next;
      if (next === undefined) return;
    }
  }
}

const headOf = (source: Source | undefined): ScanItem | undefined => source?.page[source.taken];

const isBefore = (a: ScanItem, b: ScanItem): boolean => (a.key === b.key ? a.row < b.row : a.key < b.key);
