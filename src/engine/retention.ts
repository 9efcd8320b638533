import {
  deregisteredIndex,
  partitionOfRow,
  payloadsIndex,
  retireDeadTasksIndex,
  retireIndex,
  retireTasksIndex,
} from "../codec/row-id.ts";
import { timeKey } from "../codec/time-key.ts";
import { goneReaction } from "../journal/reaction/register.ts";
import { compactOld, deleteOld } from "../journal/run/compaction.ts";
import { runRules } from "../journal/run/rules.ts";
import type { Decide, RowRules } from "../journal/row.ts";
import { deleteEndedTask, deleteOrphanedTask } from "../journal/task/decide.ts";
import { dueIndexPath, taskRules } from "../journal/task/task.ts";
import type { RowId, ScanItem, Store } from "../store/store.ts";
import { ChoreLoop, type ChoreLoopOptions } from "./chore-loop.ts";
import type { Clock } from "./clock.ts";
import type { Pipeline } from "./pipeline.ts";
import { reactionTarget } from "./reactions.ts";
import { plainCall, type RowState } from "./row-slot.ts";

/** How long runs that are over and settled are kept, in milliseconds since they ended; absent: for ever. */
export interface RetentionBounds {
  /** After this their payloads go (R75); at the latest when the runs go. */
  readonly payloadsMs?: number | undefined;
  /**
   * After this they are deleted: all that stays is which id ended how, and which business keys are taken. Tasks that are DONE
   * go as long after that, and those that a reaction left open so long after it was deregistered.
   */
  readonly runsMs?: number | undefined;
  /** After this go tasks that were given up: FAILED or in the DLQ. Absent: they stay, for somebody to look at. */
  readonly deadTasksMs?: number | undefined;
}

/** What one pass of retention did. */
export interface RetentionPass {
  readonly compactedRuns: number;
  readonly deletedRuns: number;
  readonly deletedTasks: number;
  /** Runs and tasks that could not be changed; the next pass tries again. */
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
  readonly deletedTasks: number;
  readonly retentionFailures: number;
}

type Tally = Record<keyof RetentionStats, number>;
const nothingDone = (): Tally => ({ compactedRuns: 0, deletedRuns: 0, deletedTasks: 0, retentionFailures: 0 });

/** Counts for a pass, and for all of them. */
type Count = (what: keyof RetentionStats) => void;

/** Runs that are changed at once, and the pause after them: calls of others come first. At most some 400 runs a second. */
const atOnce = 8;
const pauseMs = 20;
const [oftenMs, seldomMs] = [60_000, 3_600_000];

/** What is done with a row that an index names; whether it was changed. */
type Act = (item: ScanItem, index: string) => Promise<boolean>;

/** One server's turn. */
interface Turn {
  readonly isMine: () => Promise<boolean>;
  readonly signal: AbortSignal;
  readonly count: Count;
}

/**
 * Removes what runs that ended long ago have left: their payloads, then all of it. In small steps, each a conditional
 * commit on one run, which says by itself whether it is to be removed; so any server may stop or die at any step, and the
 * next one goes on with what the index still names.
 */
export class Retention {
  readonly #options: RetentionOptions;
  /** `null`: nothing is bounded. */
  readonly #loop: ChoreLoop | null;
  readonly #stats = nothingDone();

  constructor(options: RetentionOptions) {
    this.#options = options;
    const { pipeline, clock, owner, bounds } = options;
    const isBounded = Object.values(bounds).some((bound) => bound !== undefined);
    const work: ChoreLoopOptions["work"] = ({ isMine }, signal) =>
      this.#reported((count) => this.#removeOld({ isMine, signal, count }));
    this.#loop = isBounded
      ? new ChoreLoop({ pipeline, clock, owner, chore: "retention", everyMs: howOften(bounds), work })
      : null;
  }

  /** Counters since the start. */
  get stats(): RetentionStats {
    return { ...this.#stats };
  }

  /** Starts what the bounds ask for; without any, nothing. Idempotent. */
  start(): void {
    this.#loop?.start();
  }

  /** Stops, in the middle of a pass if need be. */
  async close(): Promise<void> {
    await this.#loop?.close();
  }

  async #reported(pass: (count: Count) => Promise<boolean>): Promise<boolean> {
    const done = nothingDone();
    let isComplete = false;
    try {
      isComplete = await pass((what) => {
        done[what] += 1;
        this.#stats[what] += 1;
      });
      return isComplete;
    } finally {
      const { retentionFailures: failedRuns, ...counts } = done;
      this.#options.onPass?.({ ...counts, failedRuns, isComplete });
    }
  }

  /** Whether everything that is due was looked at. */
  async #removeOld(turn: Turn): Promise<boolean> {
    const { payloadsMs = Infinity, runsMs, deadTasksMs } = this.#options.bounds;
    const now = this.#options.clock.now();
    const payloadsUntil = now - Math.min(payloadsMs, runsMs ?? Infinity);
    const change =
      <S extends RowState, E>(rules: RowRules<S, E>, decide: Decide<S, E, boolean>): Act =>
      (item, index) =>
        this.#change(index, item, rules, decide);
    const compact = change(runRules, compactOld(payloadsUntil));
    const all: (readonly [string, number, Act, keyof RetentionStats])[] = [
      [payloadsIndex, payloadsUntil, compact, "compactedRuns"],
    ];
    if (runsMs !== undefined) {
      const until = now - runsMs;
      all.push(
        [retireIndex, until, change(runRules, deleteOld(until)), "deletedRuns"],
        [retireTasksIndex, until, change(taskRules, deleteEndedTask(until)), "deletedTasks"],
        // Which counts by itself.
        [deregisteredIndex, until, ({ row }) => this.#removeOrphans(row, until, turn), "deletedTasks"],
      );
    }
    if (deadTasksMs !== undefined) {
      const until = now - deadTasksMs;
      all.push([retireDeadTasksIndex, until, change(taskRules, deleteEndedTask(until)), "deletedTasks"]);
    }
    for (const [index, untilMs, act, counter] of all) {
      const range = { to: timeKey(untilMs + 1) };
      if (Number.isFinite(untilMs) && !(await this.#each(index, range, act, counter, turn))) return false;
    }
    return true;
  }

  /** Does this with every row that the index names in a range, in the order of the keys; whether it came to the end. */
  async #each(
    index: string,
    range: { readonly to?: string },
    act: Act,
    counter: keyof RetentionStats,
    { isMine, signal, count }: Turn,
  ): Promise<boolean> {
    const { store, clock } = this.#options;
    let after: ScanItem | undefined;
    while (await isMine()) {
      const page = await store.scan(index, { ...range, after, limit: atOnce, signal });
      await Promise.all(
        page.items.map(async (item) => {
          try {
            if (await act(item, index)) count(counter);
          } catch {
            // One row that cannot be read must not keep the others.
            if (!signal.aborted) count("retentionFailures");
          }
        }),
      );
      after = page.next;
      if (after === undefined) return !signal.aborted;
      await clock.sleep(pauseMs, signal);
      if (signal.aborted) return false;
    }
    return false;
  }

  async #change<S extends RowState, E>(
    index: string,
    { row, key }: ScanItem,
    rules: RowRules<S, E>,
    decide: Decide<S, E, boolean>,
  ): Promise<boolean> {
    const { store, pipeline } = this.#options;
    const target = { row, partition: partitionOfRow(row), rules };
    const isChanged = await pipeline.execute(target, decide, plainCall);
    if (!isChanged && !store.capabilities.atomicIndex) await pipeline.dropStaleKey(target, { index, key });
    return isChanged;
  }

  /** Deletes the tasks that a reaction left open when it was deregistered: nobody is given them any more. */
  async #removeOrphans(reaction: RowId, untilMs: number, turn: Turn): Promise<boolean> {
    const { pipeline } = this.#options;
    const partition = partitionOfRow(reaction);
    const id = await pipeline.execute(reactionTarget(partition, reaction), goneReaction(untilMs), plainCall);
    if (id === null) return false;
    const index = `${partition}/${dueIndexPath(id)}`;
    const remove: Act = (item) => this.#change(index, item, taskRules, deleteOrphanedTask(untilMs));
    await this.#each(index, {}, remove, "deletedTasks", turn);
    return false;
  }
}

/** Some 24 times within the shortest bound: a run is never kept much longer than it should be. */
function howOften({ payloadsMs = Infinity, runsMs = Infinity, deadTasksMs = Infinity }: RetentionBounds): number {
  return Math.min(seldomMs, Math.max(oftenMs, Math.min(payloadsMs, runsMs, deadTasksMs) / 24));
}
