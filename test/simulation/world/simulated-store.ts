import { TapeError } from "../../../src/errors.ts";
import type {
  Append,
  AppendOutcome,
  FeedPage,
  MigrationReport,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  Store,
  StoreCapabilities,
  StoredKey,
  SweepOptions,
  SweepStep,
  TailOptions,
} from "../../../src/store/store.ts";
import { WakeBroadcast } from "../../../src/store/wake-broadcast.ts";
import type { Owner } from "./scheduler.ts";
import type { SimulatedData } from "./simulated-data.ts";
import type { World } from "./world.ts";

/** The process that a store object lives in. */
export interface Process extends Owner {
  readonly name: string;
  alive: boolean;
  /** Until when it cannot reach the store, in the world's time. */
  cutOffUntil: number;
}

/**
 * One server's connection to the data that all share. Nothing happens when it is called: every look, every write and
 * every answer is a step of its own that the scheduler picks, and between any two of them something may go wrong. It
 * keeps the contract of the port: it does only what callers must expect.
 */
export class SimulatedStore implements Store {
  readonly capabilities: StoreCapabilities;
  readonly #world: World;
  readonly #data: SimulatedData;
  readonly #process: Process;
  readonly #wake = new WakeBroadcast();

  constructor(world: World, data: SimulatedData, process: Process, capabilities: StoreCapabilities) {
    this.#world = world;
    this.#data = data;
    this.#process = process;
    this.capabilities = capabilities;
  }

  async open(): Promise<void> {}

  async migrate({ dryRun }: { readonly dryRun: boolean }): Promise<MigrationReport> {
    return { steps: [], dryRun };
  }

  append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    return this.#operation("append", (answer) => {
      const outcomes: AppendOutcome[] = [];
      let left = batch.length;
      if (left === 0) answer([]);
      for (const [i, append] of batch.entries()) {
        this.#append(append, (outcome) => {
          outcomes[i] = outcome;
          left -= 1;
          if (left === 0) answer(outcomes);
        });
      }
    });
  }

  read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    return this.#look("read", () => this.#data.rows.read(row, options));
  }

  scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return this.#look("scan", () => this.#data.scan(index, { ...options, limit: this.#shortened(options.limit) }));
  }

  tail(options: TailOptions): Promise<FeedPage> {
    return this.#look("tail", () => this.#data.rows.tail({ ...options, limit: this.#shortened(options.limit) }));
  }

  /** Nothing is left behind but index keys, where they are no part of the commit. */
  sweep({ after, limit }: SweepOptions): Promise<SweepStep> {
    return this.#look("sweep", () => {
      const from = after === undefined ? undefined : (JSON.parse(after) as StoredKey);
      const most = this.#shortened(limit);
      const keys = this.capabilities.atomicIndex ? [] : this.#data.index.all(from, most);
      return keys.length < most ? { removed: 0, keys } : { removed: 0, keys, next: JSON.stringify(keys.at(-1)) };
    });
  }

  wake({ signal }: { readonly signal: AbortSignal }): AsyncIterable<void> {
    return this.#wake.listen(signal);
  }

  async close(): Promise<void> {
    this.#wake.close();
  }

  /** A commit somewhere: whoever listens hears of it, some time. */
  hint(): void {
    if (!this.#wake.isHeard) return;
    this.#world.scheduler.add(this.#process, () => {
      if (this.#process.alive) this.#wake.notify();
    });
  }

  /** One element: keys, commit and keys again are steps of their own where the index is not part of the commit. */
  #append(append: Append, answer: (outcome: AppendOutcome) => void): void {
    const { faults } = this.#world;
    const lost = faults.happens("answer-lost");
    if (lost) answer({ kind: "unknown", cause: new Error("simulated: the answer was lost") });
    const { atomicIndex } = this.capabilities;
    const commit = (): void => {
      if (faults.happens("interloper")) this.#data.touch(append.row, `interloper-${this.#world.number()}`);
      const outcome = this.#data.commit(append, atomicIndex);
      this.#tellCommit(append, outcome);
      if (lost && faults.happens("overtaken")) this.#data.touch(append.row, `interloper-${this.#world.number()}`);
      if (!lost) answer(outcome);
      if (outcome.kind !== "committed" || atomicIndex || append.index.remove.length === 0) return;
      this.#write(lost, () => {
        if (!faults.happens("leftover-key")) this.#data.removeKeys(append);
        this.#data.listener?.indexChanged(append.row);
      });
    };
    if (atomicIndex || append.index.add.length === 0) {
      this.#write(lost, commit);
    } else {
      this.#write(lost, () => {
        this.#data.addKeys(append);
        this.#write(lost, commit);
      });
    }
  }

  /** A step of a write. What was sent may arrive after its sender is gone, or be gone with it. */
  #write(lost: boolean, run: () => void): void {
    const { faults, scheduler } = this.#world;
    scheduler.addQuiet(() => {
      if (lost && faults.happens("write-vanishes")) return;
      if (!this.#process.alive && faults.happens("write-dies")) return;
      run();
    });
  }

  #look<T>(what: string, look: () => T): Promise<T> {
    return this.#operation(what, (answer) => {
      this.#world.scheduler.addQuiet(() => {
        answer(look());
      });
    });
  }

  /** A call whose answer comes as a step of the process that asked, if that still lives. */
  #operation<T>(what: string, begin: (answer: (value: T) => void) => void): Promise<T> {
    const { scheduler, faults } = this.#world;
    return new Promise((resolve, reject) => {
      const later = (settle: () => void): void => {
        scheduler.add(this.#process, () => {
          if (this.#process.alive) settle();
        });
      };
      if (!this.#process.alive) return;
      if (this.#process.cutOffUntil > scheduler.now || faults.happens("store-away")) {
        later(() => {
          reject(new TapeError("STORE_UNAVAILABLE", `simulated: ${what} cannot reach the store; try again`));
        });
        return;
      }
      begin((value) => {
        later(() => {
          resolve(value);
        });
      });
    });
  }

  #shortened(limit: number): number {
    return limit > 1 && this.#world.faults.happens("short-page") ? 1 + this.#world.random.int(limit - 1) : limit;
  }

  #tellCommit({ row, expect, entries }: Append, outcome: AppendOutcome): void {
    this.#world.tell(() => {
      const what = entries.map(({ kind, ref }) => `${kind} ${ref}`).join(", ") || "head only";
      const end = outcome.kind === "committed" ? `v${expect + 1}` : `${outcome.kind}, expected v${expect}`;
      return `   store: ${row} ${end} by ${this.#process.name}: ${what}`;
    });
  }
}
