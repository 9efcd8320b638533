import { Engine } from "../../../src/engine/engine.ts";
import type { Clock } from "../../../src/engine/clock.ts";
import type { IdSource } from "../../../src/engine/id-source.ts";
import { localAccess } from "../../../src/model/access.ts";
import type { Tape } from "../../../src/model/tape.ts";
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
}

/** One life of a server: an engine with a clock and a store connection of its own. */
export class Server implements Process {
  readonly name: string;
  readonly tape: Tape;
  readonly store: SimulatedStore;
  alive = true;
  pausedUntil = 0;
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
    });
    engine.start();
    this.tape = engine.tape(localAccess);
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
