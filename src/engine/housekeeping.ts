import type { Store } from "../store/store.ts";
import { ChoreLoop, type ChoreLoopOptions, type ChoreTurn } from "./chore-loop.ts";
import type { Clock } from "./clock.ts";
import { MissingKeys } from "./missing-keys.ts";
import type { Pipeline } from "./pipeline.ts";
import { StaleKeys, type Suspect } from "./stale-keys.ts";

/** When it is done, in milliseconds. */
export interface HousekeepingTimes {
  /** How long after its start a server begins: those that live shortly need not. */
  readonly firstAfterMs: number;
  /** How long after a sweep the next one begins: it looks at all that may have been left behind. */
  readonly sweepEveryMs: number;
  /** Between the two looks at a key: longer than an append usually takes. */
  readonly graceMs: number;
  /** Between two steps: calls of others come first. */
  readonly pauseMs: number;
}

/** What servers go by. */
export const defaultHousekeeping: HousekeepingTimes = Object.freeze({
  firstAfterMs: 10 * 60_000,
  sweepEveryMs: 7 * 24 * 3_600_000,
  graceMs: 15_000,
  pauseMs: 20,
});

/** What housekeeping works with. */
export interface HousekeepingOptions {
  readonly pipeline: Pipeline;
  readonly store: Store;
  readonly clock: Clock;
  /** Names this server among those that share the journal. */
  readonly owner: string;
  /** `null`: it does nothing. */
  readonly times: HousekeepingTimes | null;
  /** Told of every row that could not be looked at. */
  readonly onFailure: (error: unknown) => void;
}

/** Counters since the start. */
export interface HousekeepingStats {
  /** What commits and removals had left behind in the store. */
  readonly sweptLeftovers: number;
  /** Index keys that were one too many. */
  readonly staleKeys: number;
  /** Rows that had an index key too few: of an index that came after them. */
  readonly reindexedRows: number;
  /** Rows that could not be looked at. */
  readonly housekeepingFailures: number;
}

/** Things that one step of a sweep looks at. */
const sweptAtOnce = 200;
/** Suspects that are waited for together. */
const mostSuspects = 200;

/**
 * Keeps a journal tidy, in small steps and on one server at a time: takes away what nobody asks for any more, and adds what
 * newer versions ask for. Every change is a conditional commit, or one that nobody sees, so that any server may stop or die
 * at any step; the next one goes on about where it was.
 */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #loops: readonly ChoreLoop[];
  readonly #stale: StaleKeys;
  readonly #stats: Record<keyof HousekeepingStats, number> = {
    sweptLeftovers: 0,
    staleKeys: 0,
    reindexedRows: 0,
    housekeepingFailures: 0,
  };

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    const { pipeline, clock, owner, store, times } = options;
    this.#stale = new StaleKeys(store, pipeline, (error) => this.#failed(error));
    if (times === null) {
      this.#loops = [];
      return;
    }
    const { firstAfterMs, sweepEveryMs } = times;
    const loop = (chore: string, everyMs: number, work: ChoreLoopOptions["work"]): ChoreLoop =>
      new ChoreLoop({ pipeline, clock, owner, chore, everyMs, firstAfterMs, work });
    this.#loops = [
      // Once for all; an index that comes later needs a chore of another name.
      loop("index-1", Infinity, (turn, signal) => this.#reindex(turn, signal, times)),
      ...(store.sweep === undefined
        ? []
        : [loop("sweep", sweepEveryMs, (turn, signal) => this.#sweep(turn, signal, times))]),
    ];
  }

  /** Counters since the start. */
  get stats(): HousekeepingStats {
    return { ...this.#stats };
  }

  /** Starts it. Idempotent. */
  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  /** Stops, in the middle of a step if need be. */
  async close(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.close()));
  }

  #failed(error: unknown): void {
    this.#stats.housekeepingFailures += 1;
    this.#options.onFailure(error);
  }

  async #sweep(turn: ChoreTurn, signal: AbortSignal, { graceMs, pauseMs }: HousekeepingTimes): Promise<boolean> {
    const { store, clock } = this.#options;
    let after: string | undefined = turn.place === "" ? undefined : turn.place;
    let place = turn.place;
    let suspects: Suspect[] = [];
    while (await turn.isMine(place)) {
      const step = await store.sweep?.({ after, limit: sweptAtOnce, signal });
      this.#stats.sweptLeftovers += step?.removed ?? 0;
      suspects.push(...(await this.#stale.suspect(step?.keys ?? [])));
      after = step?.next;
      if (suspects.length >= mostSuspects || (after === undefined && suspects.length > 0)) {
        await clock.sleep(graceMs, signal);
        if (signal.aborted) return false;
        this.#stats.staleKeys += await this.#stale.remove(suspects);
        suspects = [];
      }
      if (after === undefined) return true;
      // Whoever goes on must come by what is still suspected.
      if (suspects.length === 0) place = after;
      await clock.sleep(pauseMs, signal);
      if (signal.aborted) return false;
    }
    return false;
  }

  async #reindex(turn: ChoreTurn, signal: AbortSignal, { pauseMs }: HousekeepingTimes): Promise<boolean> {
    const { store, pipeline, clock } = this.#options;
    const missing = new MissingKeys(store, pipeline, (error) => this.#failed(error));
    let position = Number(turn.place);
    while (await turn.isMine(String(position))) {
      const { repaired, next } = await missing.step(position);
      this.#stats.reindexedRows += repaired;
      if (next === undefined) return true;
      position = next;
      await clock.sleep(pauseMs, signal);
      if (signal.aborted) return false;
    }
    return false;
  }
}
