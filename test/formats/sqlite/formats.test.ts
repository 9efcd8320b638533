import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { MemoryStore } from "../../../src/store/memory/memory-store.ts";
import { newestFormat } from "../../../src/store/sql/migration.ts";
import { migrations } from "../../../src/store/sqlite/schema.ts";
import { sqliteFileStore } from "../../../src/store/sqlite/sqlite-store.ts";
import type { Append, Store } from "../../../src/store/store.ts";
import { appendTo, commit, feedOf, rowOf, scanAll } from "../../../src/testing/test-store/material.ts";

/** Every format that was ever released. */
const formats = [1];

const isBytes = (key: string): boolean => key === "head" || key === "body";

/** What stands in the fixtures. */
async function content(): Promise<readonly (readonly Append[])[]> {
  const text = await readFile(join(import.meta.dirname, "content.json"), "utf8");
  const revive = (key: string, value: unknown): unknown =>
    isBytes(key) ? new Uint8Array(Buffer.from(String(value), "base64")) : value;
  return JSON.parse(text, revive) as readonly (readonly Append[])[];
}

/** Everything in a store that the content can have touched. */
async function everything(store: Store, batches: readonly (readonly Append[])[]): Promise<unknown> {
  const appends = batches.flat();
  const rows = [...new Set(appends.map(({ row }) => row))];
  const spaces = [...new Set(appends.flatMap(({ index }) => index.add.map((key) => key.index)))];
  return {
    rows: await Promise.all(rows.map((row) => rowOf(store, row))),
    indexes: await Promise.all(spaces.map((space) => scanAll(store, space))),
    feed: await feedOf(store, 0),
  };
}

/** Writes the newest format; what a release has written stays as it is. */
async function writeFixture(): Promise<void> {
  const path = join(import.meta.dirname, `sqlite-${newestFormat(migrations)}.db`);
  await rm(path, { force: true });
  const store = sqliteFileStore({ path });
  await store.migrate({ dryRun: false });
  for (const batch of await content()) await commit(store, ...batch);
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
    const oracle = new MemoryStore();
    await oracle.open();
    for (const batch of batches) await commit(oracle, ...batch);
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
