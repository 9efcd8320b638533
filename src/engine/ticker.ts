import { timeKey, timeOfKey } from "../codec/time-key.ts";
import { isTaskRow, partitionOfRow, tickIndex } from "../codec/row-id.ts";
import type { Decide } from "../journal/row.ts";
import { runRules } from "../journal/run/rules.ts";
import { tick } from "../journal/run/timers.ts";
import { tickTask } from "../journal/task/decide.ts";
import { taskRules } from "../journal/task/task.ts";
import type { IndexKey, RowId } from "../model/row.ts";
import type { ScanItem, Store } from "../store/store.ts";
import type { Background } from "./background.ts";
import type { Clock } from "./clock.ts";
import type { Pipeline } from "./pipeline.ts";
import { plainCall, type RowState } from "./row-slot.ts";
import type { Target } from "./slot-cache.ts";

/** How often to look for work that other servers left. What this server wrote is known without looking. */
const lookEveryMs = 5000;
const pageSize = 100;

/**
 * What the server does by itself: fires built-in timers that nobody took (R46), writes down claims that have expired
 * (R25, R71). Safe on any number of servers: each act is a conditional commit on the row.
 */
export class Ticker implements Background {
  readonly #pipeline: Pipeline;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #nextMs = 0;
  #running: Promise<void> | null = null;

  constructor(pipeline: Pipeline, store: Store, clock: Clock) {
    this.#pipeline = pipeline;
    this.#store = store;
    this.#clock = clock;
  }

  /** Starts the loop. Idempotent. */
  start(): void {
    this.#running ??= this.#loop();
  }

  /** A commit of this server added these keys: one of them may be due before the next look. */
  noticed(keys: readonly IndexKey[]): void {
    for (const { index, key } of keys) {
      if (index !== tickIndex) continue;
      const due = timeOfKey(key);
      if (due < this.#nextMs) {
        this.#nextMs = due;
        this.#wake.abort();
      }
    }
  }

  /** Ends the loop. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      this.#nextMs = this.#clock.now() + lookEveryMs;
      try {
        await this.#look();
      } catch {
        // The store is away or the engine is closing; the next look tries again.
      }
      const pause = this.#nextMs - this.#clock.now();
      // An overdue run that could not be helped just now must not make this a busy loop.
      if (!this.#stop.signal.aborted) await this.#clock.sleep(Math.max(pause, 1), this.#wake.signal);
    }
  }

  async #look(): Promise<void> {
    for (let after: ScanItem | undefined; !this.#stop.signal.aborted;) {
      const { items, next } = await this.#store.scan(tickIndex, { after, limit: pageSize });
      const now = this.#clock.now();
      const due = items.filter(({ key }) => key < timeKey(now + 1));
      const later = items.find(({ key }) => key >= timeKey(now + 1));
      // A row that cannot be helped just now must not keep those behind it; the next look tries it again.
      await Promise.allSettled(due.map(({ row, key }) => this.#tick(row, key)));
      const laterMs = later === undefined ? Number.NaN : timeOfKey(later.key);
      // A damaged key has no time, and must not make this a busy loop.
      if (laterMs < this.#nextMs) this.#nextMs = laterMs;
      if (later !== undefined || next === undefined) return;
      after = next;
    }
  }

  async #tick(row: RowId, key: string): Promise<void> {
    const partition = partitionOfRow(row);
    if (isTaskRow(row)) await this.#act({ row, partition, rules: taskRules }, tickTask, key);
    else await this.#act({ row, partition, rules: runRules }, tick, key);
  }

  async #act<S extends RowState, E>(target: Target<S, E>, decide: Decide<S, E, void>, key: string): Promise<void> {
    await this.#pipeline.execute(target, decide, plainCall);
    if (!this.#store.capabilities.atomicIndex) {
      await this.#pipeline.dropStaleKey(target, { index: tickIndex, key });
    }
  }
}
