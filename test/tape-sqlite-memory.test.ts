import { describe, it } from "vitest";
import { sqliteMemoryStore } from "../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../src/store/store.ts";
import { engineHarness, testTape, type TapeHarness } from "../src/testing/index.ts";

async function openStore(): Promise<Store> {
  const store = sqliteMemoryStore();
  await store.migrate({ dryRun: false });
  return store;
}

testTape({
  name: "sqlite-memory",
  open: (): Promise<TapeHarness> => engineHarness({ openStore }),
  runner: { describe, it },
});
