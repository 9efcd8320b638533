import { describe, it } from "vitest";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import { engineHarness, testTape, type TapeHarness } from "../src/testing/index.ts";
import { sharedStore } from "./store-views.ts";

async function memoryStore(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.open();
  return store;
}

testTape({
  name: "memory",
  open: (): Promise<TapeHarness> => engineHarness({ openStore: memoryStore }),
  runner: { describe, it },
});

// Several engines on one store, none of which may take a row in its cache for the current one.
testTape({
  name: "memory-shared",
  open: (): Promise<TapeHarness> => engineHarness({ openStore: async () => sharedStore(await memoryStore()) }),
  runner: { describe, it },
});
