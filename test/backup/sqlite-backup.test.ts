import { execFile, spawnSync } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createStore } from "../../src/store/open-store.ts";
import { openSqlite } from "../../src/store/sqlite/open-sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { appendTo, commit, feedOf, grow, namesOf, rowOf, upTo } from "../../src/testing/test-store/material.ts";

let folder: string;
let file: string;
let backup: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tape-backup-"));
  file = join(folder, "tape.db");
  backup = join(folder, "backup.db");
});

afterEach(() => rm(folder, { recursive: true }));

async function opened(path: string): Promise<Store> {
  const store = await createStore(`sqlite:${path}`);
  onTestFinished(() => store.close());
  await store.migrate({ dryRun: false });
  return store;
}

/** One statement, on a connection of its own, as any SQLite tool would. */
async function sql(path: string, statement: string): Promise<void> {
  const database = await openSqlite(path, { readOnly: false });
  database.exec(statement);
  database.close();
}

const hasShell = spawnSync("sqlite3", ["--version"]).status === 0;

/** The ways to copy a journal that is in use. */
const copies: Readonly<Record<string, (from: string, to: string) => Promise<unknown>>> = {
  "VACUUM INTO": (from, to) => sql(from, `vacuum into '${to}'`),
  "sqlite3 .backup": (from, to) => promisify(execFile)("sqlite3", ["-readonly", from, `.backup '${to}'`]),
};

describe.each(Object.entries(copies))("a SQLite journal copied by %s while it is written", (name, copy) => {
  it("is that of one moment, has all that was acknowledged before, and goes on", async ({ skip }) => {
    skip(name.startsWith("sqlite3") && !hasShell, "sqlite3 is not installed");
    const store = await opened(file);
    const rows = ["a", "b", "c", "d"];
    for (const row of rows) await grow(store, row, 20);
    const stop = new AbortController();
    const writing = rows.map(async (row) => {
      let version = 20;
      for (; !stop.signal.aborted; version++) await commit(store, appendTo(row, version));
      return version;
    });
    const before = (await feedOf(store, 80)).length;
    await copy(file, backup);
    stop.abort();
    const versions = await Promise.all(writing);
    const all = await feedOf(
      store,
      versions.reduce((sum, version) => sum + version, 0),
      0,
      1000,
    );

    const restored = await opened(backup);
    const kept = await feedOf(restored, before, 0, 1000);
    // A beginning of the original's feed, with nothing missing in between.
    expect(kept.length).toBeGreaterThanOrEqual(before);
    expect(kept).toEqual(all.slice(0, kept.length));
    for (const row of rows) {
      const { version } = await rowOf(restored, row);
      expect(version).toBe(kept.filter((entry) => entry.row === row).length);
      await commit(restored, appendTo(row, version));
    }
    const next = await feedOf(restored, 4, kept.at(-1)?.position);
    expect(namesOf(next)).toHaveLength(4);
  });
});

describe("a SQLite journal copied by cp", () => {
  it("while it is in use lacks what stands in the log", async () => {
    const store = await opened(file);
    await grow(store, "a", 5);
    await copyFile(file, backup);
    const copy = await createStore(`sqlite:${backup}`);
    onTestFinished(() => copy.close());
    await expect(copy.open().then(() => copy.read(appendTo("a", 0).row))).rejects.toMatchObject({
      reason: "MIGRATION_PENDING",
    });
  });

  it("after its server has stopped is whole", async () => {
    const store = await opened(file);
    await grow(store, "a", 5);
    await store.close();
    await copyFile(file, backup);
    expect((await rowOf(await opened(backup), "a")).version).toBe(5);
  });
});

describe("positions of the feed", () => {
  /** A journal that was put back to its backup, and the position that was given last before that. */
  async function putBack(): Promise<number> {
    const store = await opened(file);
    await grow(store, "a", 5);
    await sql(file, `vacuum into '${backup}'`);
    const positions = await Promise.all(upTo(9).map((i) => commit(store, appendTo(`lost-${i}`, 0))));
    await store.close();
    return Math.max(...positions.flat());
  }

  it("are given again after a restore: a reader that remembers one misses entries", async () => {
    const last = await putBack();
    const [again = 0] = await commit(await opened(backup), appendTo("a", 5));
    expect(again).toBeLessThanOrEqual(last);
  });

  it("are not, when they are raised before a server starts on it", async () => {
    const last = await putBack();
    await sql(backup, "update tape_meta set value = value + 1073741824 where name = 'feed'");
    const store = await opened(backup);
    const [next = 0] = await commit(store, appendTo("a", 5));
    expect(next).toBeGreaterThan(last);
    expect(namesOf(await feedOf(store, 1, last))).toEqual(["a:6"]);
    expect(namesOf(await feedOf(store, 6))).toEqual(upTo(6).map((i) => `a:${i + 1}`));
  });
});
