import { partitionOfRow, payloadsIndex, retireIndex } from "../codec/row-id.ts";
import { timeKey } from "../codec/time-key.ts";
import { compactOld, deleteOld } from "../journal/run/compaction.ts";
import type { RunEvent } from "../journal/run/events.ts";
import type { Run } from "../journal/run/run.ts";
import { runRules } from "../journal/run/rules.ts";
import type { Decide } from "../journal/row.ts";
import type { ScanItem, Store } from "../store/store.ts";
import { ChoreLoop } from "./chore-loop.ts";
import type { Clock } from "./clock.ts";
import type { Pipeline } from "./pipeline.ts";
import { plainCall } from "./row-slot.ts";

/** How long runs that are over and settled are kept, in milliseconds since they ended; absent: for ever. */
export interface RetentionBounds {
  /** After this their payloads go (R75); at the latest when the runs go. */
  readonly payloadsMs?: number | undefined;
  /** After this they are deleted: all that stays is which id ended how, and which business keys are taken. */
  readonly runsMs?: number | undefined;
}

/** What one pass of retention did. */
export interface RetentionPass {
  readonly compactedRuns: number;
  readonly deletedRuns: number;
  /** What commits and removals had left behind in the store. */
  readonly sweptLeftovers: number;
  /** Runs that could not be changed; the next pass tries again. */
  readonly failedRuns: number;
  /** Everything that was due was looked at. */
  readonly isComplete: boolean;
}

/** What retention works with. */
export interface RetentionOptions {
  readonly pipeline: Pipeline;
  readonly store: Store;
  readonly clock: Clock;
  /** Names this server among those that share the journal. */
  readonly owner: string;
  readonly bounds: RetentionBounds;
  /** Told after every pass. */
  readonly onPass?: ((pass: RetentionPass) => void) | undefined;
}

/** Counters since the start. */
export interface RetentionStats {
  readonly compactedRuns: number;
  readonly deletedRuns: number;
  readonly sweptLeftovers: number;
  readonly retentionFailures: number;
}

type Tally = Record<keyof RetentionStats, number>;
const nothingDone = (): Tally => ({ compactedRuns: 0, deletedRuns: 0, sweptLeftovers: 0, retentionFailures: 0 });

/** Counts for a pass, and for all of them. */
type Count = (what: keyof RetentionStats, times?: number) => void;

/** Runs that are changed at once, and the pause after them: calls of others come first. At most some 400 runs a second. */
const atOnce = 8;
const pauseMs = 20;
const [oftenMs, seldomMs] = [60_000, 3_600_000];
/** A sweep looks at all that may have been left behind, so it is done seldom, and this much at a time. */
const sweepEveryMs = 7 * 24 * 3_600_000;
const sweptAtOnce = 200;

/** One server's turn at a chore. */
interface Turn {
  readonly isMine: () => Promise<boolean>;
  readonly signal: AbortSignal;
  readonly count: Count;
}

type Pass = (turn: Turn) => Promise<boolean>;

/**
 * Removes what runs that ended long ago have left: their payloads, then all of it. In small steps, each a conditional
 * commit on one run, which says by itself whether it is to be removed; so any server may stop or die at any step, and the
 * next one goes on with what the index still names.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #loops: readonly ChoreLoop[];
  readonly #stats = nothingDone();

  constructor(options: RetentionOptions) {
    this.#options = options;
    const { pipeline, clock, owner, bounds, store } = options;
    const loop = (chore: string, everyMs: number, pass: Pass): ChoreLoop =>
      new ChoreLoop({
        pipeline,
        clock,
        owner,
        chore,
        everyMs,
        work: (isMine, signal) => this.#reported((count) => pass({ isMine, signal, count })),
      });
    const isBounded = bounds.payloadsMs !== undefined || bounds.runsMs !== undefined;
    const removing = loop("retention", howOften(bounds), (turn) => this.#removeOld(turn));
    const sweeping = loop("sweep", sweepEveryMs, (turn) => this.#sweep(turn));
    this.#loops = isBounded ? [removing, ...(store.sweep === undefined ? [] : [sweeping])] : [];
  }

  /** Counters since the start. */
  get stats(): RetentionStats {
    return { ...this.#stats };
  }

  /** Starts what the bounds ask for; without any, nothing. Idempotent. */
  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  /** Stops, in the middle of a pass if need be. */
  async close(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.close()));
  }

  async #reported(pass: (count: Count) => Promise<boolean>): Promise<boolean> {
    const done = nothingDone();
    let isComplete = false;
    try {
      isComplete = await pass((what, times = 1) => {
        done[what] += times;
        this.#stats[what] += times;
      });
      return isComplete;
    } finally {
      const { retentionFailures: failedRuns, ...counts } = done;
      this.#options.onPass?.({ ...counts, failedRuns, isComplete });
    }
  }

  /** Whether everything that is due was looked at. */
  async #removeOld(turn: Turn): Promise<boolean> {
    const { payloadsMs = Infinity, runsMs } = this.#options.bounds;
    const now = this.#options.clock.now();
    const payloadsUntil = now - Math.min(payloadsMs, runsMs ?? Infinity);
    const compact = compactOld(payloadsUntil);
    if (!(await this.#each(payloadsIndex, payloadsUntil, compact, "compactedRuns", turn))) return false;
    if (runsMs === undefined) return true;
    return this.#each(retireIndex, now - runsMs, deleteOld(now - runsMs), "deletedRuns", turn);
  }

  /** Makes one change of every run that the index names up to a time, oldest first. */
  async #each(
    index: string,
    untilMs: number,
    change: Decide<Run, RunEvent, boolean>,
    counter: "compactedRuns" | "deletedRuns",
    turn: Turn,
  ): Promise<boolean> {
    const { store, clock } = this.#options;
    const { isMine, signal, count } = turn;
    let after: ScanItem | undefined;
    while (await isMine()) {
      const page = await store.scan(index, { to: timeKey(untilMs + 1), after, limit: atOnce, signal });
      await Promise.all(
        page.items.map(async (item) => {
          if (await this.#change(index, item, change, turn)) count(counter);
        }),
      );
      after = page.next;
      if (after === undefined) return !signal.aborted;
      await clock.sleep(pauseMs, signal);
      if (signal.aborted) return false;
    }
    return false;
  }

  async #change(
    index: string,
    { row, key }: ScanItem,
    decide: Decide<Run, RunEvent, boolean>,
    { signal, count }: Turn,
  ): Promise<boolean> {
    const { store, pipeline } = this.#options;
    const target = { row, partition: partitionOfRow(row), rules: runRules };
    try {
      const isChanged = await pipeline.execute(target, decide, plainCall);
      if (!isChanged && !store.capabilities.atomicIndex) await pipeline.dropStaleKey(target, { index, key });
      return isChanged;
    } catch {
      // One run that cannot be read must not keep the others.
      if (!signal.aborted) count("retentionFailures");
      return false;
    }
  }

  async #sweep({ isMine, signal, count }: Turn): Promise<boolean> {
    const { store, clock } = this.#options;
    let after: string | undefined;
    while (await isMine()) {
      const step = await store.sweep?.({ after, limit: sweptAtOnce, signal });
      count("sweptLeftovers", step?.removed);
      after = step?.next;
      if (after === undefined) return true;
      await clock.sleep(pauseMs, signal);
      if (signal.aborted) return false;
    }
    return false;
  }
}

/** Some 24 times within the shortest bound: a run is never kept much longer than it should be. */
function howOften({ payloadsMs = Infinity, runsMs = Infinity }: RetentionBounds): number {
  return Math.min(seldomMs, Math.max(oftenMs, Math.min(payloadsMs, runsMs) / 24));
}
