import type { Clock } from "../engine/clock.ts";
import { Engine, type EngineOptions } from "../engine/engine.ts";
import { localAccess } from "../model/access.ts";
import type { Tape } from "../model/tape.ts";
import { reactor } from "../reactor/reactor.ts";
import type { Store } from "../store/store.ts";
import { FakeClock } from "./fake-clock.ts";
import type { TapeHarness } from "./test-tape/tape-harness.ts";

/** Options of {@link engineHarness}. */
export interface EngineHarnessOptions {
  /**
   * Opens the store, or one more connection to the same data: 0 for the engine under test, also when it is reopened, n
   * for another one. A store that is not durable is opened once and kept for all.
   */
  readonly openStore: (connection: number) => Promise<Store>;
  /** Starts every tenant's partition, so that several cases can use one store. Default: none. */
  readonly partition?: string | undefined;
  /** What engines are made with beside store and clock. */
  readonly engine?: Omit<EngineOptions, "store" | "clock"> | undefined;
  /** The clock of the engines, from the one that cases move. Default: that. */
  readonly engineClock?: ((clock: FakeClock) => Clock) | undefined;
  /** What callers get instead of the engine's own tape. Default: that. */
  readonly wrap?: ((tape: Tape) => Tape) | undefined;
  /** Removes the data, after everything is closed. */
  readonly remove?: (() => Promise<void>) | undefined;
}

interface OpenEngine {
  readonly store: Store;
  readonly engine: Engine;
}

/** A harness of {@link testTape} for the engine over a store: several engines where the store is not exclusive. */
export async function engineHarness(options: EngineHarnessOptions): Promise<TapeHarness> {
  const { openStore, partition = "", wrap = (tape: Tape): Tape => tape, remove } = options;
  const clock = new FakeClock();
  const engineClock = options.engineClock?.(clock) ?? clock;
  const others = new Map<number, OpenEngine>();
  const start = (store: Store): OpenEngine => {
    const engine = new Engine({ store, clock: engineClock, reactor: reactor(), ...options.engine });
    engine.start();
    return { store, engine };
  };
  let main = start(await openStore(0));
  const { durable, exclusive } = main.store.capabilities;
  const end = async ({ store, engine }: OpenEngine): Promise<void> => {
    await engine.close();
    if (durable) await store.close();
  };
  const access = { partition, tenant: partition === "" ? localAccess.tenant : null };
  const connect = async (connection: number): Promise<Store> => (durable ? openStore(connection) : main.store);

  return {
    tape: wrap(main.engine.tape(access)),
    clock,
    tapes: exclusive
      ? undefined
      : async (n) => {
          const open = others.get(n) ?? start(await connect(n));
          others.set(n, open);
          return wrap(open.engine.tape(access));
        },
    tapeFor: async ({ partition: tenants, tenant }) =>
      wrap(main.engine.tape({ partition: `${partition}${tenants}`, tenant })),
    reopen: async () => {
      await end(main);
      main = start(await connect(0));
      return wrap(main.engine.tape(access));
    },
    close: async () => {
      await Promise.all([main, ...others.values()].map(end));
      if (!durable) await main.store.close();
      await remove?.();
    },
  };
}
