import { Engine } from "../../../src/engine/engine.ts";
import type { Clock } from "../../../src/engine/clock.ts";
import type { HousekeepingTimes } from "../../../src/engine/housekeeping.ts";
import type { IdSource } from "../../../src/engine/id-source.ts";
import type { RetentionBounds } from "../../../src/engine/retention.ts";
import { localAccess } from "../../../src/model/access.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { reactor } from "../../../src/reactor/reactor.ts";
import type { Random } from "../../../src/testing/random.ts";
import type { StoreCapabilities } from "../../../src/store/store.ts";
import type { SimulatedData } from "./simulated-data.ts";
import { SimulatedStore, type Process } from "./simulated-store.ts";
import type { World } from "./world.ts";

/** How servers of a world are made. */
export interface ServerOptions {
  readonly capabilities: StoreCapabilities;
  readonly cacheBytes: number;
  readonly maxPending: number;
  /** Whether servers match entries with reactions. */
  readonly reactions?: boolean;
  /** How long runs that are over are kept; absent: for ever, and there is no chore. */
  readonly retention?: RetentionBounds | undefined;
  /** How far clocks may be beside the true time, in milliseconds. */
  readonly widestSkewMs: number;
  /** When the servers tidy up; `false`: they do not. */
  readonly housekeeping: HousekeepingTimes | false;
}

/** One life of a server: an engine with a clock and a store connection of its own. */
export class Server implements Process {
  readonly name: string;
  readonly tape: Tape;
  readonly store: SimulatedStore;
  readonly #tapes = new Map<string, Tape>();
  readonly #engine: Engine;
  alive = true;
  pausedUntil = 0;
  cutOffUntil = 0;
  /** Its clock is this far before (or behind) the world's time, in milliseconds. */
  skewMs: number;
  /** Called once, when it crashes. */
  readonly onCrash: Set<() => void> = new Set();

  constructor(world: World, data: SimulatedData, name: string, skewMs: number, options: ServerOptions) {
    this.name = name;
    this.skewMs = skewMs;
    this.store = new SimulatedStore(world, data, this, options.capabilities);
    const engine = new Engine({
      store: this.store,
      clock: this.#clock(world),
      ids: seededIds(world.random.fork()),
      cacheBytes: options.cacheBytes,
      maxPending: options.maxPending,
      ...(options.reactions === true ? { reactor: reactor() } : {}),
      ...(options.retention === undefined ? {} : { retention: options.retention }),
      housekeeping: options.housekeeping,
    });
    engine.start();
    this.#engine = engine;
    this.tape = engine.tape(localAccess);
  }

  /** What callers of another tenant get; that of the empty one is {@link tape}. */
  tapeOf(partition: string): Tape {
    if (partition === "") return this.tape;
    const tape = this.#tapes.get(partition) ?? this.#engine.tape({ partition, tenant: null });
    this.#tapes.set(partition, tape);
    return tape;
  }

  /** Everything in memory is gone; what was sent may still arrive. */
  crash(): void {
    this.alive = false;
    for (const tell of this.onCrash) tell();
    this.onCrash.clear();
  }

  #clock({ scheduler }: World): Clock {
    return {
      now: () => scheduler.now + this.skewMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal.aborted) {
            resolve();
            return;
          }
          const wake = (): void => {
            takeBack();
            signal.removeEventListener("abort", wake);
            if (this.alive) resolve();
          };
          const takeBack = scheduler.after(ms, this, wake);
          signal.addEventListener("abort", wake, { once: true });
        }),
    };
  }
}

const seededIds = (random: Random): IdSource => ({
  commitId: () => random.hex(16),
  id: () => random.hex(32),
  spanId: () => random.hex(16),
});
