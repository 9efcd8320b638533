import type {
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  TailOptions,
  FeedPage,
} from "../../src/store/store.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";

/** What was read of a store. */
export interface Reads {
  readonly scans: number;
  readonly keys: number;
  readonly rows: number;
  /** Entries that came with the rows. */
  readonly entries: number;
}

const nothing: Reads = { scans: 0, keys: 0, rows: 0, entries: 0 };

/** A store that counts what is read of it. */
export class CountingStore extends ForwardingStore {
  #reads: Reads = nothing;

  /** What was read since the last time it was asked. */
  take(): Reads {
    const reads = this.#reads;
    this.#reads = nothing;
    return reads;
  }

  override async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    const page = await super.scan(index, options);
    this.#reads = { ...this.#reads, scans: this.#reads.scans + 1, keys: this.#reads.keys + page.items.length };
    return page;
  }

  override async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    const slice = await super.read(row, options);
    const { rows, entries } = this.#reads;
    this.#reads = { ...this.#reads, rows: rows + 1, entries: entries + (slice?.entries.length ?? 0) };
    return slice;
  }

  override async tail(options: TailOptions): Promise<FeedPage> {
    const page = await super.tail(options);
    this.#reads = { ...this.#reads, entries: this.#reads.entries + page.entries.length };
    return page;
  }
}
