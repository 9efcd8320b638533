import { describe, it } from "vitest";
import { testStore } from "../../testing/test-store.ts";
import { MemoryStore } from "./memory-store.ts";

testStore({
  name: "memory",
  runner: { describe, it },
  create: async () => {
    const store = new MemoryStore();
    await store.open();
    return store;
  },
  destroy: (store) => store.close(),
});
