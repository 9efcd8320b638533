import { setTimeout as pause } from "node:timers/promises";
import type {
  Append,
  AppendOutcome,
  CallContext,
  FeedPage,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  SweepOptions,
  SweepStep,
  TailOptions,
} from "../../../src/store/store.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { ForwardingStore } from "../../../src/testing/forwarding-store.ts";

/** Within this time readers of a feed that was held up are told that it goes on, milliseconds. */
const toldMs = 30;

/** A store behind a socket that knows whether everything has come back, so that a clock of our own can wait for it. */
export class QuietStore extends ForwardingStore {
  #underWay = 0;
  #last = 0;

  /** Resolves when nothing is under way, and the feed gives what was committed; gives whether that took waiting. */
  async settled(): Promise<boolean> {
    let waited = false;
    for (;;) {
      if (this.#underWay > 0) await pause(1);
      else if (await this.#isBehind()) await pause(toldMs);
      else return waited;
      waited = true;
    }
  }

  /** A transaction of somebody else may hold the feed up for a moment. */
  async #isBehind(): Promise<boolean> {
    if (this.#last === 0) return false;
    const { entries } = await this.inner.tail({ after: this.#last - 1, limit: 1 });
    if (entries.length > 0) this.#last = 0;
    return entries.length === 0;
  }

  override read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    return this.#count(super.read(row, options));
  }

  override scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return this.#count(super.scan(index, options));
  }

  override tail(options: TailOptions): Promise<FeedPage> {
    return this.#count(super.tail(options));
  }

  override sweep(options: SweepOptions): Promise<SweepStep> {
    return this.#count(super.sweep(options));
  }

  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    const outcomes = await this.#count(super.appendUntracked(batch, options));
    for (const outcome of outcomes) {
      if (outcome.kind === "committed") this.#last = Math.max(this.#last, outcome.position);
    }
    return outcomes;
  }

  async #count<T>(call: Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await call;
    } finally {
      this.#underWay -= 1;
    }
  }
}

/** A clock that goes on only when its store has answered everything. */
export class QuietClock extends FakeClock {
  readonly #store: QuietStore;

  constructor(store: QuietStore) {
    super();
    this.#store = store;
  }

  override async settle(): Promise<void> {
    do await super.settle();
    while (await this.#store.settled());
  }
}
