import { timeKey, timeOfKey } from "../codec/time-key.ts";
import { partitionOfRow, tickIndex } from "../codec/row-id.ts";
import { runRules } from "../journal/run/rules.ts";
import { tick } from "../journal/run/timers.ts";
import type { IndexKey, RowId } from "../model/row.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "./clock.ts";
import type { Pipeline } from "./pipeline.ts";
import { plainCall } from "./row-slot.ts";

/** How often to look for work that other servers left. What this server wrote is known without looking. */
const lookEveryMs = 5000;
const pageSize = 100;

/**
 * What the server does by itself: fires built-in timers that nobody took (R46), writes down claims that have expired
 * (R25). Safe on any number of servers: each act is a conditional commit on the run's row.
 */
export class Ticker {
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
    const { items } = await this.#store.scan(tickIndex, { limit: pageSize });
    const now = this.#clock.now();
    const due = items.filter(({ key }) => key < timeKey(now + 1));
    const later = items.find(({ key }) => key >= timeKey(now + 1));
    if (later !== undefined) this.#nextMs = Math.min(this.#nextMs, timeOfKey(later.key));
    if (due.length === pageSize) this.#nextMs = now;
    await Promise.all(due.map(({ row, key }) => this.#tick(row, key)));
  }

  async #tick(row: RowId, key: string): Promise<void> {
    const partition = partitionOfRow(row);
    const target = { row, partition, rules: runRules };
    await this.#pipeline.execute(target, tick, plainCall);
    if (!this.#store.capabilities.atomicIndex) {
      await this.#pipeline.dropStaleKey(target, { index: tickIndex, key });
    }
  }
}
