import type {
  Append,
  AppendOutcome,
  FeedPage,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  Store,
  SweepOptions,
  SweepStep,
  TailOptions,
  CallContext,
} from "../../src/store/store.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";

/** A store that breaks its contract in one way, and the case of the suite that must not pass on it. */
export interface BrokenStore {
  /** What it does wrong. */
  readonly wrong: string;
  readonly caughtBy: string;
  /** Wraps a good one. */
  readonly breaks: (good: Store) => Store;
}

/** Calls that do something else than the good store would. */
export interface Changes {
  readonly append?: (good: Store, batch: readonly Append[]) => Promise<readonly AppendOutcome[]>;
  readonly read?: (good: Store, row: RowId, options: ReadOptions) => Promise<RowSlice | null>;
  readonly scan?: (good: Store, index: string, options: ScanOptions) => Promise<ScanPage>;
  readonly tail?: (good: Store, options: TailOptions) => Promise<FeedPage>;
  readonly wake?: (good: Store, signal: AbortSignal) => AsyncIterable<void>;
  readonly sweep?: (good: Store) => Promise<SweepStep>;
  readonly close?: (good: Store) => Promise<void>;
}

/** The good store but for the changes. */
export class ChangedStore extends ForwardingStore {
  readonly #changes: Changes;

  constructor(good: Store, changes: Changes) {
    super(good);
    this.#changes = changes;
  }

  override async append(batch: readonly Append[], options: CallContext = {}): Promise<readonly AppendOutcome[]> {
    const { append } = this.#changes;
    return append === undefined || batch.length === 0 || options.signal?.aborted === true
      ? super.append(batch, options)
      : append(this.inner, batch);
  }

  override async read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    return this.#changes.read?.(this.inner, row, options) ?? super.read(row, options);
  }

  override async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return this.#changes.scan?.(this.inner, index, options) ?? super.scan(index, options);
  }

  override async tail(options: TailOptions): Promise<FeedPage> {
    return this.#changes.tail?.(this.inner, options) ?? super.tail(options);
  }

  override wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    return this.#changes.wake?.(this.inner, options.signal) ?? super.wake(options);
  }

  override async sweep(options: SweepOptions): Promise<SweepStep> {
    return this.#changes.sweep?.(this.inner) ?? super.sweep(options);
  }

  override async close(): Promise<void> {
    await (this.#changes.close?.(this.inner) ?? super.close());
  }
}

/** A store with some calls replaced; a function gives each object its own. */
export const broken = (wrong: string, caughtBy: string, changes: Changes | (() => Changes)): BrokenStore => ({
  wrong,
  caughtBy,
  breaks: (good) => new ChangedStore(good, typeof changes === "function" ? changes() : changes),
});

/** A store that writes other appends than it was asked to. */
export const writes = (
  wrong: string,
  caughtBy: string,
  change: (append: Append, call: number) => Append,
): BrokenStore =>
  broken(wrong, caughtBy, () => {
    let calls = 0;
    return {
      append: (good, batch) => {
        calls += 1;
        return good.append(batch.map((append) => change(append, calls)));
      },
    };
  });

/** A store that hands out other entries than it has. */
export const readsEntries = (
  wrong: string,
  caughtBy: string,
  change: (entries: RowSlice["entries"], options: ReadOptions) => RowSlice["entries"],
): BrokenStore =>
  broken(wrong, caughtBy, {
    read: async (good, row, options) => {
      const slice = await good.read(row, options);
      return slice && { ...slice, entries: change(slice.entries, options) };
    },
  });

/** A store whose feed is another one. */
export const feeds = (
  wrong: string,
  caughtBy: string,
  change: (page: FeedPage, options: TailOptions, good: Store) => FeedPage | Promise<FeedPage>,
): BrokenStore =>
  broken(wrong, caughtBy, { tail: async (good, options) => change(await good.tail(options), options, good) });

/** A store that takes its index for another one. */
export const scans = (
  wrong: string,
  caughtBy: string,
  change: (options: ScanOptions) => ScanOptions,
  then: (page: ScanPage) => ScanPage = (page) => page,
): BrokenStore =>
  broken(wrong, caughtBy, { scan: async (good, index, options) => then(await good.scan(index, change(options))) });

/** An outcome without a position. */
export const committed: AppendOutcome = { kind: "committed", position: 0 };
/** The entry as it is read when bodies are not asked for. */
export const withoutBody = ({
  body: _body,
  ...rest
}: RowSlice["entries"][number]): Omit<RowSlice["entries"][number], "body"> => rest;
/** 0 when there is no such row. */
export const versionOf = async (good: Store, row: RowId): Promise<number> =>
  (await good.read(row, { limit: 0 }))?.version ?? 0;
