import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { sqliteFileStore } from "../src/store/sqlite/sqlite-store.ts";
import { testTape } from "../src/testing/index.ts";
import { TapePlaces } from "./tape-places.ts";

const places = new TapePlaces(async () => {
  const folder = await mkdtemp(join(tmpdir(), "tape-suite-"));
  return {
    open: async () => {
      const store = sqliteFileStore({ path: join(folder, "tape.db") });
      await store.migrate({ dryRun: false });
      return store;
    },
    remove: () => rm(folder, { recursive: true }),
  };
});

afterAll(() => places.discard());

testTape({ name: "sqlite-file", open: (tapeCase) => places.harness(tapeCase), runner: { describe, it } });
