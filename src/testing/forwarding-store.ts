import type {
  Append,
  AppendOutcome,
  CallContext,
  FeedPage,
  MigrationReport,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  Store,
  StoreCapabilities,
  SweepOptions,
  SweepStep,
  TailOptions,
} from "../store/store.ts";
import { UnderWay } from "../store/under-way.ts";

/**
 * A store that hands every call to another one: what wrappers start from, overriding what they change. Closing waits for
 * appends under way in the wrapper too.
 */
export class ForwardingStore implements Store {
  protected readonly inner: Store;
  readonly #appends = new UnderWay();

  constructor(inner: Store) {
    this.inner = inner;
  }

  get capabilities(): StoreCapabilities {
    return this.inner.capabilities;
  }

  async open(options?: CallContext): Promise<void> {
    await this.inner.open(options);
  }

  async migrate(options: { readonly dryRun: boolean }): Promise<MigrationReport> {
    return this.inner.migrate(options);
  }

  append(batch: readonly Append[], options?: CallContext): Promise<readonly AppendOutcome[]> {
    return this.#appends.finish(this.appendUntracked(batch, options));
  }

  /** What {@link append} does, to be overridden in its place. */
  protected async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    return this.inner.append(batch, options);
  }

  async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    return this.inner.read(row, options);
  }

  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return this.inner.scan(index, options);
  }

  async tail(options: TailOptions): Promise<FeedPage> {
    return this.inner.tail(options);
  }

  async sweep(options: SweepOptions): Promise<SweepStep> {
    return this.inner.sweep?.(options) ?? { removed: 0 };
  }

  wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    return this.inner.wake(options);
  }

  async close(): Promise<void> {
    await this.#appends.settled();
    await this.inner.close();
  }
}
