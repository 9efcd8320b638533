import type { TapeError } from "../errors.ts";
import { Lifecycle } from "./lifecycle.ts";
import type {
  Append,
  AppendOutcome,
  CallContext,
  FeedPage,
  MigrationReport,
  MigrationStep,
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
} from "./store.ts";
import { UnderWay } from "./under-way.ts";
import { WakeBroadcast } from "./wake-broadcast.ts";

/** A database that may hold a journal: what a {@link RemoteStore} does with it before it is open. */
export interface RemotePlace {
  readonly capabilities: StoreCapabilities;
  /** Connects, checks, and gives what reads and writes. Creates and changes nothing. */
  open(wake: WakeBroadcast): Promise<RemoteJournal>;
  /** What is pending. Creates and changes nothing. */
  pending(): Promise<readonly MigrationStep[]>;
  /** Applies what is pending; gives what that was. */
  migrate(): Promise<readonly MigrationStep[]>;
  /** After the journal was closed. Idempotent. */
  close(): Promise<void>;
  /** The one translation of the driver's errors. */
  failure(error: unknown): TapeError;
}

/** A journal that is open; see {@link Store} for what each of these must do. */
export interface RemoteJournal {
  append(batch: readonly Append[]): Promise<readonly AppendOutcome[]>;
  read(row: RowId, options: ReadOptions): Promise<RowSlice | null>;
  scan(index: string, options: ScanOptions): Promise<ScanPage>;
  tail(options: TailOptions): Promise<FeedPage>;
  sweep?(options: SweepOptions): Promise<SweepStep>;
  /** Somebody listens for commits of other processes from now on. */
  listen(): void;
  /** When everything that was begun is done. */
  close(): Promise<void>;
}

/** A store in a database elsewhere: its life, apart from what is particular to the database. */
export class RemoteStore implements Store {
  readonly capabilities: StoreCapabilities;
  readonly #place: RemotePlace;
  readonly #lifecycle = new Lifecycle();
  readonly #wake = new WakeBroadcast();
  readonly #work = new UnderWay();
  #journal: RemoteJournal | undefined;
  #opening: Promise<RemoteJournal> | undefined;
  #closing: Promise<void> | undefined;

  constructor(place: RemotePlace) {
    this.capabilities = place.capabilities;
    this.#place = place;
  }

  async open(options: CallContext = {}): Promise<void> {
    this.#lifecycle.mayOpen(options.signal);
    this.#opening ??= this.#place.open(this.#wake);
    try {
      this.#journal = await this.#opening;
      this.#lifecycle.opened();
    } catch (error) {
      this.#opening = undefined;
      throw this.#place.failure(error);
    }
  }

  async migrate({ dryRun }: { readonly dryRun: boolean }): Promise<MigrationReport> {
    this.#lifecycle.mayOpen();
    let steps: readonly MigrationStep[];
    try {
      steps = await (dryRun ? this.#place.pending() : this.#place.migrate());
    } catch (error) {
      throw this.#place.failure(error);
    }
    if (!dryRun) await this.open();
    return { steps, dryRun };
  }

  async append(batch: readonly Append[], options?: CallContext): Promise<readonly AppendOutcome[]> {
    return this.#do(options, (journal) => journal.append(batch));
  }

  async read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    return this.#do(options, (journal) => journal.read(row, options));
  }

  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return this.#do(options, (journal) => journal.scan(index, options));
  }

  async tail(options: TailOptions): Promise<FeedPage> {
    return this.#do(options, (journal) => journal.tail(options));
  }

  async sweep(options: SweepOptions): Promise<SweepStep> {
    return this.#do(options, async (journal) => journal.sweep?.(options) ?? { removed: 0 });
  }

  wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    const hints = this.#wake.listen(options.signal);
    this.#journal?.listen();
    return hints;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#lifecycle.closed();
    this.#wake.close();
    await this.#work.settled();
    const journal = await this.#opening?.catch(() => undefined);
    await journal?.close();
    await this.#place.close();
  }

  async #do<T>(options: CallContext | undefined, work: (journal: RemoteJournal) => Promise<T>): Promise<T> {
    this.#lifecycle.mayWork(options?.signal);
    const journal = this.#journal;
    if (journal === undefined) throw new RangeError("open, and yet without a journal");
    try {
      return await this.#work.finish(work(journal));
    } catch (error) {
      throw this.#place.failure(error);
    }
  }
}
