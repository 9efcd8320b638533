import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { newestFormat } from "../../../src/store/sql/migration.ts";
import { migrations } from "../../../src/store/sqlite/schema.ts";
import { sqliteFileStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { appendTo, commit } from "../../../src/testing/test-store/material.ts";
import { content, everything, oracleOf, writeAll } from "../stored-content.ts";

/** Every format that was ever released. */
const formats = [1];

/** Writes the newest format; what a release has written stays as it is. */
async function writeFixture(): Promise<void> {
  const path = join(import.meta.dirname, `sqlite-${newestFormat(migrations)}.db`);
  await rm(path, { force: true });
  const store = sqliteFileStore({ path });
  await store.migrate({ dryRun: false });
  await writeAll(store, await content());
  await store.close();
  // The log is empty: everything is in the file.
  for (const suffix of ["-wal", "-shm"]) await rm(path + suffix, { force: true });
}

describe("SQLite files", () => {
  if (process.env["TAPE_WRITE_FIXTURES"] === "1") beforeAll(writeFixture);

  it.each(formats)("of format %i are read back exactly, and go on", async (format) => {
    const directory = await mkdtemp(join(tmpdir(), "tape-format-"));
    const path = join(directory, "tape.db");
    await copyFile(join(import.meta.dirname, `sqlite-${format}.db`), path);
    const batches = await content();
    const oracle = await oracleOf(batches);
    const store = sqliteFileStore({ path });
    try {
      await store.migrate({ dryRun: false });
      expect(await everything(store, batches)).toEqual(await everything(oracle, batches));
      const next = appendTo("p/run/b", 2, { commitId: "next" });
      expect(await commit(store, next)).toEqual(await commit(oracle, next));
      expect(await everything(store, batches)).toEqual(await everything(oracle, batches));
    } finally {
      await store.close();
      await rm(directory, { recursive: true });
    }
  });

  it("every format has its fixture", () => {
    expect(migrations.map(({ id }) => id)).toEqual(formats);
  });
});
