import { describe, it } from "vitest";
import type { Clock } from "../src/engine/clock.ts";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import type { Store } from "../src/store/store.ts";
import { engineHarness, seededRandom, testTape, type FakeClock, type TapeHarness } from "../src/testing/index.ts";
import { FaultyStore } from "../src/testing/faulty-store.ts";
import { retryingTape } from "./retrying-tape.ts";
import { sharedStore } from "./store-views.ts";

let seed = 0;

/** Pauses before the store is asked again end by themselves: no case can know of them. */
const withoutPauses = (clock: FakeClock): Clock => ({
  now: () => clock.now(),
  sleep: (ms, signal) => (ms > 1000 ? clock.sleep(ms, signal) : clock.settle()),
});

function open(options: { readonly atomicIndex?: false }): Promise<TapeHarness> {
  return engineHarness({ openStore: () => faulty(options), wrap: retryingTape, engineClock: withoutPauses });
}

async function faulty(options: { readonly atomicIndex?: false }): Promise<Store> {
  const memory = new MemoryStore();
  await memory.open();
  return sharedStore(new FaultyStore(memory, { random: seededRandom((seed += 1)), ...options }));
}

testTape({ name: "faulty", open: () => open({}), runner: { describe, it } });
testTape({ name: "faulty-index", open: () => open({ atomicIndex: false }), runner: { describe, it } });
