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
  TailOptions,
} from "../store.ts";
import { UnderWay } from "../under-way.ts";
import { WakeBroadcast } from "../wake-broadcast.ts";
import { defaultBusyTimeoutMs } from "./connection.ts";
import { FilePlace } from "./file-place.ts";
import { MemoryPlace } from "./memory-place.ts";
import { newestFormat } from "../sql/migration.ts";
import { inlineBodyBytes, migrations } from "./schema.ts";
import type { SqliteConnections, SqlitePlace } from "./sqlite-place.ts";

/** How to open a journal in a SQLite file. */
export interface SqliteFileOptions {
  /** The file; its directory must exist. */
  readonly path: string;
  /** How long to wait for another process's lock before STORE_UNAVAILABLE. Default 10 s. */
  readonly busyTimeoutMs?: number;
}

/** How often other processes' commits are looked for, while somebody listens: a look costs some microseconds. */
const pollMs = 25;

const sharedCapabilities = {
  kind: "sqlite",
  formatVersion: newestFormat(migrations),
  atomicIndex: true,
  maxBatch: 1000,
  inlineBodyBytes,
};

/** A journal in a SQLite file, which several processes may share: each checks versions in the commit. */
export function sqliteFileStore(options: SqliteFileOptions): Store {
  const { path, busyTimeoutMs = defaultBusyTimeoutMs } = options;
  return new SqliteStore(new FilePlace(path, busyTimeoutMs), {
    ...sharedCapabilities,
    durable: true,
    exclusive: false,
    // The writer thread takes one after the other; a second one waiting there keeps it busy.
    concurrentAppends: 2,
    wakeDelayMs: pollMs,
  });
}

/** A journal in the memory of this process; it lives as long as the object. */
export function sqliteMemoryStore(): Store {
  return new SqliteStore(new MemoryPlace(), {
    ...sharedCapabilities,
    durable: false,
    exclusive: true,
    concurrentAppends: 1,
    wakeDelayMs: 0,
  });
}

class SqliteStore implements Store {
  readonly capabilities: StoreCapabilities;
  readonly #place: SqlitePlace;
  readonly #lifecycle = new Lifecycle();
  readonly #wake = new WakeBroadcast();
  #opening: Promise<SqliteConnections> | undefined;
  #connections: SqliteConnections | undefined;
  readonly #appends = new UnderWay();
  #closing: Promise<void> | undefined;
  #poll: NodeJS.Timeout | undefined;
  #seenVersion = 0;

  constructor(place: SqlitePlace, capabilities: StoreCapabilities) {
    this.#place = place;
    this.capabilities = Object.freeze(capabilities);
  }

  async open(options: CallContext = {}): Promise<void> {
    this.#lifecycle.mayOpen(options.signal);
    this.#opening ??= this.#place.connect();
    try {
      this.#connections = await this.#opening;
      this.#lifecycle.opened();
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async migrate(options: { readonly dryRun: boolean }): Promise<MigrationReport> {
    this.#lifecycle.mayOpen();
    if (options.dryRun) return { steps: await this.#place.pending(), dryRun: true };
    const steps = await this.#place.migrate();
    await this.open();
    return { steps, dryRun: false };
  }

  async append(batch: readonly Append[], options: CallContext = {}): Promise<readonly AppendOutcome[]> {
    const connections = this.#connected(options.signal);
    if (batch.length === 0) return [];
    const outcomes = await this.#appends.finish(connections.append(batch));
    if (outcomes.some((outcome) => outcome.kind !== "conflict")) this.#wake.notify();
    return outcomes;
  }

  async read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    return this.#connected(options.signal).reader.read(row, options);
  }

  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return this.#connected(options.signal).reader.scan(index, options);
  }

  async tail(options: TailOptions): Promise<FeedPage> {
    return this.#connected(options.signal).reader.tail(options);
  }

  wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    const hints = this.#wake.listen(options.signal);
    if (this.capabilities.exclusive || this.#poll !== undefined || !this.#lifecycle.isOpen) return hints;
    this.#seenVersion = this.#dataVersion();
    this.#poll = setInterval(() => this.#look(), pollMs).unref();
    return hints;
  }

  #look(): void {
    if (!this.#wake.isHeard) {
      this.#stopPolling();
      return;
    }
    const version = this.#dataVersion();
    // NaN, when it cannot be read, is a change too: whoever is woken meets the error where it can be handled.
    if (version !== this.#seenVersion) this.#wake.notify();
    this.#seenVersion = version;
  }

  #dataVersion(): number {
    try {
      return this.#connections?.reader.dataVersion() ?? Number.NaN;
    } catch {
      return Number.NaN;
    }
  }

  #stopPolling(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#lifecycle.closed();
    this.#wake.close();
    this.#stopPolling();
    await this.#appends.settled();
    const connections = await this.#opening?.catch(() => undefined);
    await connections?.close();
  }

  #connected(signal: AbortSignal | undefined): SqliteConnections {
    this.#lifecycle.mayWork(signal);
    // An open store has its connections until it is closed, and then mayWork has thrown.
    return this.#connections as SqliteConnections;
  }
}
