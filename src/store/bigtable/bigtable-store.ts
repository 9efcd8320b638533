import { TapeError } from "../../errors.ts";
import { Lifecycle } from "../lifecycle.ts";
import { noObserver, type StoreObserver } from "../store-observer.ts";
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
  TailOptions,
} from "../store.ts";
import { UnderWay } from "../under-way.ts";
import { WakeBroadcast } from "../wake-broadcast.ts";
import { bigtableFailure } from "./bigtable-failure.ts";
import { parseBigtableUrl, type BigtableTarget } from "./bigtable-url.ts";
import { pollEveryMs } from "./change-poll.ts";
import { OpenJournal } from "./open-journal.ts";
import { Place } from "./place.ts";
import { inlineBodyBytes } from "./row-bodies.ts";
import { serviceLimits, type RowLimits } from "./row-changes.ts";
import { defaultDeadlines, type Deadlines } from "./table.ts";

/** What a store may be given besides its URL. */
export interface BigtableOptions {
  /** Default: nobody is told. */
  readonly observer?: StoreObserver;
  /** `host:port` of an emulator, where the URL names none. Default: the service itself. */
  readonly emulator?: string | undefined;
  /** The machine's clock, milliseconds since 1970. Default: that. */
  readonly now?: () => number;
  /** How often it is compared with the service's, milliseconds. Default 30 s: drift within that is small. */
  readonly clockEveryMs?: number;
  /** Default: those of the service. */
  readonly limits?: RowLimits;
  /** Default: {@link defaultDeadlines}. */
  readonly deadlines?: Deadlines;
}

/** Rows of a batch share one call before their commits; more rows would only wait for each other. */
const mostRows = 100;
const mostAppends = 8;

/** A journal in a Bigtable table, which several servers may share. Errors: STORE_URL_INVALID. */
export function bigtableStore(url: string, options: BigtableOptions = {}): Store {
  const target = parseBigtableUrl(url);
  return new BigtableStore({ ...target, emulator: target.emulator ?? options.emulator }, options);
}

const capabilities: StoreCapabilities = Object.freeze({
  kind: "bigtable",
  durable: true,
  exclusive: false,
  atomicIndex: false,
  concurrentAppends: mostAppends,
  maxBatch: mostRows,
  inlineBodyBytes,
  wakeDelayMs: 3 * pollEveryMs,
});

class BigtableStore implements Store {
  readonly capabilities: StoreCapabilities = capabilities;
  readonly #place: Place;
  readonly #options: Required<Omit<BigtableOptions, "emulator" | "deadlines">>;
  readonly #lifecycle = new Lifecycle();
  readonly #wake = new WakeBroadcast();
  readonly #work = new UnderWay();
  #journal: OpenJournal | undefined;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(target: BigtableTarget, options: BigtableOptions) {
    const { observer = noObserver, now = Date.now, limits = serviceLimits, clockEveryMs = 30_000 } = options;
    this.#options = { observer, now, limits, clockEveryMs };
    this.#place = new Place(target, now, options.deadlines ?? defaultDeadlines);
  }

  async open(options: CallContext = {}): Promise<void> {
    this.#lifecycle.mayOpen(options.signal);
    this.#opening ??= this.#open();
    try {
      await this.#opening;
      this.#lifecycle.opened();
    } catch (error) {
      this.#opening = undefined;
      throw bigtableFailure(error, `opening ${this.#place.name}`);
    }
  }

  async #open(): Promise<void> {
    const journal = await this.#place.journal(this.#options.observer);
    const opened = new OpenJournal({
      place: this.#place,
      journal,
      wake: this.#wake,
      ...this.#options,
    });
    await opened.start();
    this.#journal = opened;
  }

  async migrate({ dryRun }: { readonly dryRun: boolean }): Promise<MigrationReport> {
    this.#lifecycle.mayOpen();
    let steps: readonly MigrationStep[];
    try {
      steps = dryRun ? await this.#place.pending() : await this.#place.make();
    } catch (error) {
      throw bigtableFailure(error, `preparing ${this.#place.name}`);
    }
    if (!dryRun) await this.open();
    return { steps, dryRun };
  }

  async append(batch: readonly Append[], options: CallContext = {}): Promise<readonly AppendOutcome[]> {
    this.#lifecycle.mayWork(options.signal);
    return this.#do("writing to", (journal) => journal.append(batch));
  }

  async read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    this.#lifecycle.mayWork(options.signal);
    return this.#do("reading", (journal) => journal.read(row, options));
  }

  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    this.#lifecycle.mayWork(options.signal);
    return this.#do("reading an index of", (journal) => journal.scan(index, options));
  }

  async tail(options: TailOptions): Promise<FeedPage> {
    this.#lifecycle.mayWork(options.signal);
    return this.#do("reading the feed of", (journal) => journal.tail(options));
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
    await this.#opening?.catch(() => undefined);
    await this.#journal?.close();
    await this.#place.close();
  }

  async #do<T>(doing: string, work: (journal: OpenJournal) => Promise<T>): Promise<T> {
    if (this.#journal === undefined) throw new TapeError("STORE_NOT_USABLE", "the store is not open");
    try {
      return await this.#work.finish(work(this.#journal));
    } catch (error) {
      throw bigtableFailure(error, `${doing} ${this.#place.name}`);
    }
  }
}
