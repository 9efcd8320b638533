import { TapeError } from "../errors.ts";
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
import { ForwardingStore } from "./forwarding-store.ts";
import type { Random } from "./random.ts";

/** What can go wrong with a store that keeps its contract. Each is drawn for by itself, once an opportunity. */
export type StoreFault =
  /** An append that was committed is answered `unknown`. */
  | "unknown-committed"
  /** An append that was not written is answered `unknown`. */
  | "unknown-lost"
  /** It is answered `unknown` and written before the next operation on its row. */
  | "unknown-late"
  /** It is answered `unknown` and written before the next append to its row: a read in between does not see it. */
  | "unknown-later"
  /** Another writer changes nothing but the row's version first, so that the append conflicts. */
  | "interloper"
  /** The call is refused with STORE_UNAVAILABLE before anything happens. */
  | "unavailable"
  /** A page of an index or of the feed is shorter than it could be. */
  | "short-page"
  /** A wake hint comes twice. */
  | "extra-wake"
  /** A wake hint comes some turns of the event loop late. */
  | "late-wake"
  /** An index key is not removed; only with `atomicIndex: false`. */
  | "leftover-key";

/** Options of {@link FaultyStore}. */
export interface FaultyStoreOptions {
  /** Decides what goes wrong; a seed repeats it. */
  readonly random: Random;
  /** Probabilities that differ from {@link defaultFaultRates}. */
  readonly rates?: Partial<Record<StoreFault, number>>;
  /** `false` makes the store say that its index is not atomic, and leave keys behind. Default: as the inner store. */
  readonly atomicIndex?: false;
}

/** Frequent enough that a test of some hundred calls meets all of them. Interlopers come only when asked for. */
export const defaultFaultRates: Readonly<Record<StoreFault, number>> = {
  "unknown-committed": 0.03,
  "unknown-lost": 0.03,
  "unknown-late": 0.03,
  "unknown-later": 0.03,
  interloper: 0,
  unavailable: 0.05,
  "short-page": 0.3,
  "extra-wake": 0.2,
  "late-wake": 0.2,
  "leftover-key": 0.3,
};

/** Items of a short page at most. */
const shortPageItems = 3;

const unknowns = ["unknown-committed", "unknown-lost", "unknown-late", "unknown-later"] as const;

/** An append that may yet be written. */
interface Delayed {
  readonly append: Append;
  readonly fault: "unknown-late" | "unknown-later";
}

/**
 * Wraps a store and lets go wrong what may go wrong with a database, as the seed decides. It keeps the contract of the
 * port: it never lies, it only does what callers must expect.
 */
export class FaultyStore extends ForwardingStore {
  readonly #random: Random;
  readonly #rates: Readonly<Record<StoreFault, number>>;
  readonly #capabilities: StoreCapabilities;
  readonly #injected = new Map<StoreFault, number>();
  #delayed: readonly Delayed[] = [];

  constructor(inner: Store, options: FaultyStoreOptions) {
    super(inner);
    const { random, rates = {}, atomicIndex = inner.capabilities.atomicIndex } = options;
    this.#random = random;
    this.#rates = { ...defaultFaultRates, ...rates };
    this.#capabilities = Object.freeze({ ...inner.capabilities, atomicIndex });
  }

  override get capabilities(): StoreCapabilities {
    return this.#capabilities;
  }

  /** How often each fault was injected so far. */
  get injected(): ReadonlyMap<StoreFault, number> {
    return this.#injected;
  }

  override async open(options?: CallContext): Promise<void> {
    this.#mayBeUnavailable("open");
    await super.open(options);
  }

  override async migrate(options: { readonly dryRun: boolean }): Promise<MigrationReport> {
    this.#mayBeUnavailable("migrate");
    return super.migrate(options);
  }

  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    this.#mayBeUnavailable("append");
    for (const { row } of batch) await this.#writeDelayed((delayed) => delayed.append.row === row);
    for (const { row } of batch) if (this.#happens("interloper")) await this.#interlope(row);

    const faults = batch.map(() => unknowns.find((fault) => this.#happens(fault)));
    const isWritten = (_: unknown, i: number): boolean => faults[i] === undefined || faults[i] === "unknown-committed";
    const written = batch.filter(isWritten).map((append) => this.#leaveKeys(append));
    // Also when nothing is left of the batch: the inner store refuses what it must refuse.
    const outcomes = [...(await super.appendUntracked(written, options))];
    return batch.map((append, i): AppendOutcome => {
      const fault = faults[i];
      const outcome = isWritten(append, i) ? outcomes.shift() : undefined;
      if (fault === undefined && outcome !== undefined) return outcome;
      if (fault === "unknown-late" || fault === "unknown-later") {
        this.#delayed = [...this.#delayed, { append, fault }];
      }
      return { kind: "unknown", cause: new Error(`injected: ${String(fault)}`) };
    });
  }

  override async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    this.#mayBeUnavailable("read");
    await this.#writeDelayed(({ append, fault }) => append.row === row && fault === "unknown-late");
    return super.read(row, options);
  }

  override async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    this.#mayBeUnavailable("scan");
    return super.scan(index, { ...options, limit: this.#shortened(options.limit) });
  }

  override async tail(options: TailOptions): Promise<FeedPage> {
    this.#mayBeUnavailable("tail");
    return super.tail({ ...options, limit: this.#shortened(options.limit) });
  }

  override async sweep(options: SweepOptions): Promise<SweepStep> {
    this.#mayBeUnavailable("sweep");
    return super.sweep({ ...options, limit: this.#shortened(options.limit) });
  }

  override wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    return this.#disturb(super.wake(options));
  }

  /** Delayed appends are written or lost, as a connection that goes down leaves them. */
  override async close(): Promise<void> {
    await this.#writeDelayed(() => this.#random.chance(0.5));
    await super.close();
  }

  async *#disturb(hints: AsyncIterable<void>): AsyncGenerator<void> {
    for await (const _ of hints) {
      if (this.#happens("late-wake")) {
        for (let turns = 1 + this.#random.int(5); turns > 0; turns -= 1) await new Promise(setImmediate);
      }
      yield;
      if (this.#happens("extra-wake")) yield;
    }
  }

  /** Writes the delayed appends that are meant; whatever comes of it, nobody is told. */
  async #writeDelayed(isMeant: (delayed: Delayed) => boolean): Promise<void> {
    const due = this.#delayed.filter(isMeant);
    this.#delayed = this.#delayed.filter((delayed) => !due.includes(delayed));
    for (const { append } of due) await this.inner.append([append]).catch(() => undefined);
  }

  async #interlope(row: RowId): Promise<void> {
    const slice = await this.inner.read(row, { limit: 0 });
    if (slice === null) return;
    const { version: expect, head } = slice;
    const commitId = this.#random.hex(16);
    await this.inner.append([{ row, expect, commitId, head, entries: [], index: { add: [], remove: [] } }]);
  }

  #leaveKeys(append: Append): Append {
    if (this.#capabilities.atomicIndex) return append;
    const { add, remove } = append.index;
    return { ...append, index: { add, remove: remove.filter(() => !this.#happens("leftover-key")) } };
  }

  /** So short that it is short in a small journal, too: a part of a large limit would hold everything there is. */
  #shortened(limit: number): number {
    return limit > 1 && this.#happens("short-page") ? 1 + this.#random.int(Math.min(limit - 1, shortPageItems)) : limit;
  }

  #mayBeUnavailable(method: string): void {
    if (this.#happens("unavailable")) {
      throw new TapeError("STORE_UNAVAILABLE", `injected: ${method} cannot reach the store; try again`);
    }
  }

  #happens(fault: StoreFault): boolean {
    const happens = this.#random.chance(this.#rates[fault]);
    if (happens) this.#injected.set(fault, (this.#injected.get(fault) ?? 0) + 1);
    return happens;
  }
}
