import { describe, it } from "vitest";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import type { Store } from "../src/store/store.ts";
import { engineHarness, seededRandom, testTape, type TapeHarness } from "../src/testing/index.ts";
import { FaultyStore } from "../src/testing/faulty-store.ts";
import { retryingTape } from "./retrying-tape.ts";
import { sharedStore } from "./store-views.ts";

let seed = 0;

async function faulty(options: { readonly atomicIndex?: false }): Promise<Store> {
  const memory = new MemoryStore();
  await memory.open();
  return sharedStore(new FaultyStore(memory, { random: seededRandom((seed += 1)), ...options }));
}

testTape({
  name: "faulty",
  open: (): Promise<TapeHarness> => engineHarness({ openStore: () => faulty({}), wrap: retryingTape }),
  runner: { describe, it },
});

testTape({
  name: "faulty-index",
  open: (): Promise<TapeHarness> =>
    engineHarness({ openStore: () => faulty({ atomicIndex: false }), wrap: retryingTape }),
  runner: { describe, it },
});
