import { choreRow, partitionOf } from "../codec/row-id.ts";
import { choreRules, endChore, keepChore, takeChore, type Chore, type ChoreEvent } from "../journal/chore/chore.ts";
import type { Clock } from "./clock.ts";
import type { Pipeline } from "./pipeline.ts";
import { plainCall } from "./row-slot.ts";
import type { Target } from "./slot-cache.ts";

/** What a chore loop works with. */
export interface ChoreLoopOptions {
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  /** Names this server among those that share the journal. */
  readonly owner: string;
  /** Names the chore for ever. */
  readonly chore: string;
  /** How long after it was done it is done again, in milliseconds; Infinity: never again. */
  readonly everyMs: number;
  /** How long after its start this server first looks whether it is due, in milliseconds. Default: at once. */
  readonly firstAfterMs?: number;
  /**
   * Does it, in small steps; before each it asks whether it is still its own. Resolves to whether it came to its end.
   * Its commits must be conditional: another server may have taken over since the last question.
   */
  readonly work: (turn: ChoreTurn, signal: AbortSignal) => Promise<boolean>;
}

/** One server's turn at a chore. */
export interface ChoreTurn {
  /** Up to where it was done before; empty: it is to be begun. */
  readonly place: string;
  /** Whether the chore is still this server's, which has done it up to a place. Default: the place that it began at. */
  readonly isMine: (place?: string) => Promise<boolean>;
}

/** When the server that does a chore dies, another may begin after this. */
const leaseMs = 60_000;
/** After the store was away. */
const lookAgainMs = 5000;

/** Does a chore from time to time, in turns with the other servers of the journal. */
export class ChoreLoop {
  readonly #options: ChoreLoopOptions;
  readonly #target: Target<Chore, ChoreEvent>;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: ChoreLoopOptions) {
    this.#options = options;
    this.#target = { row: choreRow(options.chore), partition: partitionOf(""), rules: choreRules };
  }

  /** Starts the loop. Idempotent. */
  start(): void {
    this.#running ??= this.#loop();
  }

  /** Ends the loop, in the middle of the chore if need be; whoever comes next goes on with it. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { clock, firstAfterMs = 0 } = this.#options;
    if (firstAfterMs > 0) await clock.sleep(firstAfterMs, this.#stop.signal);
    while (!this.#stop.signal.aborted) {
      let nextMs = clock.now() + lookAgainMs;
      try {
        nextMs = await this.#turn();
      } catch {
        // The store is away; the next turn tries again.
      }
      if (nextMs === Infinity) return;
      await clock.sleep(Math.max(1, nextMs - clock.now()), this.#stop.signal);
    }
  }

  /** Does the chore if it is due and nobody else is at it; when to look again. */
  async #turn(): Promise<number> {
    const { pipeline, clock, owner, everyMs, work } = this.#options;
    const turn = await pipeline.execute(this.#target, takeChore(owner, leaseMs, everyMs), plainCall);
    if (turn.kind === "later") return this.#lookAt(turn.atMs);
    let { place } = turn;
    const isMine = (reached = place): Promise<boolean> => {
      place = reached;
      return pipeline.execute(this.#target, keepChore(owner, turn.epoch, leaseMs, place), plainCall);
    };
    let isDone = false;
    try {
      isDone = await work({ place, isMine }, this.#stop.signal);
    } finally {
      await pipeline.execute(this.#target, endChore(turn.epoch, isDone, place), plainCall).catch(() => undefined);
    }
    return clock.now() + (isDone ? everyMs : lookAgainMs);
  }

  /** A clock may be wrong, or be set: never sleeps longer than it takes to become due again. */
  #lookAt(dueMs: number): number {
    const { clock, everyMs } = this.#options;
    return dueMs === Infinity ? dueMs : Math.min(dueMs, clock.now() + everyMs);
  }
}
