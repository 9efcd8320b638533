import { Lifecycle } from "../lifecycle.ts";
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
} from "../store.ts";
import { WakeBroadcast } from "../wake-broadcast.ts";
import { MemoryData } from "./memory-data.ts";

const capabilities: StoreCapabilities = Object.freeze({
  kind: "memory",
  formatVersion: 1,
  durable: false,
  exclusive: true,
  atomicIndex: true,
  concurrentAppends: 1,
  maxBatch: 1000,
  inlineBodyBytes: Number.MAX_SAFE_INTEGER,
  wakeDelayMs: 0,
});
const sharedCapabilities: StoreCapabilities = Object.freeze({ ...capabilities, exclusive: false });

/**
 * The reference store, against which every other store is compared. What it holds lives as long as the object, or as
 * the data that it was given: several objects may share that, as several servers share a database.
 */
export class MemoryStore implements Store {
  readonly capabilities: StoreCapabilities;
  readonly #data: MemoryData;
  readonly #lifecycle = new Lifecycle();
  readonly #wake = new WakeBroadcast();
  readonly #onCommit = (): void => this.#wake.notify();

  /** @param shared Default: data of its own. */
  constructor(shared?: MemoryData) {
    this.capabilities = shared === undefined ? capabilities : sharedCapabilities;
    this.#data = shared ?? new MemoryData();
  }

  async open(options: CallContext = {}): Promise<void> {
    this.#lifecycle.mayOpen(options.signal);
    this.#lifecycle.opened();
    this.#data.listen(this.#onCommit);
  }

  async migrate(options: { readonly dryRun: boolean }): Promise<MigrationReport> {
    this.#lifecycle.mayOpen();
    if (!options.dryRun) await this.open();
    return { steps: [], dryRun: options.dryRun };
  }

  async append(batch: readonly Append[], options: CallContext = {}): Promise<readonly AppendOutcome[]> {
    this.#lifecycle.mayWork(options.signal);
    return this.#data.append(batch);
  }

  async read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    this.#lifecycle.mayWork(options.signal);
    return this.#data.read(row, options);
  }

  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    this.#lifecycle.mayWork(options.signal);
    return this.#data.scan(index, options);
  }

  async tail(options: TailOptions): Promise<FeedPage> {
    this.#lifecycle.mayWork(options.signal);
    return this.#data.tail(options);
  }

  async sweep(options: SweepOptions): Promise<SweepStep> {
    this.#lifecycle.mayWork(options.signal);
    return this.#data.sweep(options);
  }

  wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    return this.#wake.listen(options.signal);
  }

  async close(): Promise<void> {
    this.#lifecycle.closed();
    this.#data.unlisten(this.#onCommit);
    this.#wake.close();
  }
}
