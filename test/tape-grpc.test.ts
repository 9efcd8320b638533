import { afterAll, beforeAll, describe, it } from "vitest";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import { testTape, type TapeHarness } from "../src/testing/index.ts";
import { sharedStore } from "./store-views.ts";
import { TapeServers } from "./tape-servers.ts";

const servers = new TapeServers();

async function harness(): Promise<TapeHarness> {
  const store = sharedStore(new MemoryStore());
  await store.open();
  return servers.harness({ openStore: async () => store, close: () => store.close() });
}

beforeAll(() => servers.start());
afterAll(() => servers.close());

testTape({ name: "grpc", open: harness, runner: { describe, it } });
