import { describe, expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { MemoryStore } from "./memory/memory-store.ts";
import { RemoteStore, type RemoteJournal } from "./remote-store.ts";

/** A place whose database is missing the first time that it is opened. */
async function lateDatabase(): Promise<RemoteStore> {
  const memory = new MemoryStore();
  await memory.open();
  const journal: RemoteJournal = {
    append: (batch) => memory.append(batch),
    read: (row, options) => memory.read(row, options),
    scan: (index, options) => memory.scan(index, options),
    tail: (options) => memory.tail(options),
    listen: () => undefined,
    close: () => memory.close(),
  };
  let isThere = false;
  return new RemoteStore({
    capabilities: memory.capabilities,
    open: async () => {
      if (isThere) return journal;
      isThere = true;
      throw new Error("nothing listens there");
    },
    pending: async () => [],
    migrate: async () => [],
    close: async () => undefined,
    failure: (error) => (error instanceof TapeError ? error : new TapeError("STORE_UNAVAILABLE", String(error))),
  });
}

describe("a store in a database elsewhere", () => {
  it("can be opened after an attempt that failed, by the same object", async () => {
    const store = await lateDatabase();
    await expect(store.open()).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    await store.open();
    await expect(store.scan("index", { limit: 1 })).resolves.toEqual({ items: [] });
    await store.close();
  });
});
