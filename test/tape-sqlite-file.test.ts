import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { sqliteFileStore } from "../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../src/store/store.ts";
import { engineHarness, testTape, type TapeHarness } from "../src/testing/index.ts";
import { borrowedStore } from "./store-views.ts";

/** A file with its open connections. Opening one starts a thread, so several cases use them, each in its own partition. */
interface SharedFile {
  readonly folder: string;
  readonly connections: Map<number, Promise<Store>>;
  cases: number;
}

/** Few enough that a case that reads the whole feed does not read the history of all others. */
const casesPerFile = 40;

let shared: SharedFile | undefined;

async function open(folder: string): Promise<Store> {
  const store = sqliteFileStore({ path: join(folder, "tape.db") });
  await store.migrate({ dryRun: false });
  return store;
}

async function discard(file: SharedFile | undefined): Promise<void> {
  if (file === undefined) return;
  for (const store of await Promise.all(file.connections.values())) await store.close();
  await rm(file.folder, { recursive: true });
}

async function fileForOneMoreCase(): Promise<SharedFile> {
  if (shared === undefined || shared.cases === casesPerFile) {
    await discard(shared);
    shared = { folder: await mkdtemp(join(tmpdir(), "tape-suite-")), connections: new Map(), cases: 0 };
  }
  shared.cases += 1;
  return shared;
}

async function harness(): Promise<TapeHarness> {
  const { folder, connections, cases } = await fileForOneMoreCase();
  const taken = new Set<number>();
  return engineHarness({
    partition: `case-${cases}-`,
    openStore: async (connection) => {
      // What is asked for again was closed by the case: that is a reopening, and must be a real one.
      if (taken.has(connection)) return open(folder);
      taken.add(connection);
      const store = connections.get(connection) ?? open(folder);
      connections.set(connection, store);
      return borrowedStore(await store);
    },
  });
}

afterAll(() => discard(shared));

testTape({ name: "sqlite-file", open: harness, runner: { describe, it } });
