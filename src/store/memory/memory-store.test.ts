import { describe, it } from "vitest";
import { testStore } from "../../testing/test-store.ts";
import type { Store } from "../store.ts";
import { MemoryData } from "./memory-data.ts";
import { MemoryStore } from "./memory-store.ts";

const runner = { describe, it };

async function open(shared?: MemoryData): Promise<Store> {
  const store = new MemoryStore(shared);
  await store.open();
  return store;
}

testStore({ name: "memory", runner, create: () => open(), destroy: (store) => store.close() });

const shared = new WeakMap<Store, MemoryData>();

testStore({
  name: "memory-shared",
  runner,
  create: async () => {
    const data = new MemoryData();
    const store = await open(data);
    shared.set(store, data);
    return store;
  },
  destroy: (store) => store.close(),
  reopen: (store) => open(shared.get(store)),
});
