import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "vitest";
import { testStore } from "../../testing/test-store.ts";
import type { Store } from "../store.ts";
import { sqliteFileStore, sqliteMemoryStore } from "./sqlite-store.ts";

const runner = { describe, it };

testStore({
  name: "sqlite-memory",
  runner,
  create: async () => {
    const store = sqliteMemoryStore();
    await store.migrate({ dryRun: false });
    return store;
  },
  destroy: (store) => store.close(),
});

const paths = new WeakMap<Store, string>();
const pathOf = (store: Store): string => paths.get(store) ?? "";

testStore({
  name: "sqlite-file",
  runner,
  create: async () => {
    const path = join(await mkdtemp(join(tmpdir(), "tape-sqlite-")), "tape.db");
    const store = sqliteFileStore({ path });
    paths.set(store, path);
    await store.migrate({ dryRun: false });
    return store;
  },
  destroy: async (store) => {
    await store.close();
    await rm(dirname(pathOf(store)), { recursive: true });
  },
  reopen: async (store) => {
    const other = sqliteFileStore({ path: pathOf(store) });
    await other.open();
    return other;
  },
  crash: (store) => ({
    module: new URL("../../../dist/store/open-store.js", import.meta.url).href,
    url: `sqlite:${pathOf(store)}`,
  }),
});
