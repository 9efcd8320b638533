import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { mustRetireRuns } from "../../../test/engine/retained-run.ts";
import { appendTo, commit, entry, upTo } from "../../testing/test-store/material.ts";
import type { Store } from "../store.ts";
import { pragma } from "./connection.ts";
import { openSqlite } from "./open-sqlite.ts";
import { sqliteFileStore } from "./sqlite-store.ts";

/** A journal in a file of its own. */
async function journal(): Promise<{ readonly store: Store; readonly path: string }> {
  const directory = await mkdtemp(join(tmpdir(), "tape-removals-"));
  const path = join(directory, "tape.db");
  const store = sqliteFileStore({ path });
  onTestFinished(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  await store.migrate({ dryRun: false });
  return { store, path };
}

it("bodies that are dropped leave pages free that others fill, and a vacuum makes the file small", async () => {
  const { store, path } = await journal();
  const write = async (row: string): Promise<void> => {
    const bodies = upTo(100).map((i) => new Uint8Array(i % 2 === 0 ? 900 : 20_000).fill(i));
    await commit(store, appendTo(row, 0, { entries: bodies.map((body, i) => entry(i + 1, { body })) }));
  };
  const pages = async (what: "page_count" | "freelist_count"): Promise<number> => {
    const database = await openSqlite(path, { readOnly: true });
    const found = Number(pragma(database, what));
    database.close();
    return found;
  };
  await write("a");
  const full = await pages("page_count");
  await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 101 }));
  expect(await pages("freelist_count")).toBeGreaterThan(full * 0.8);
  await write("b");
  expect(await pages("page_count")).toBeLessThan(full * 1.1);
  await commit(store, appendTo("b", 1, { entries: [], dropBodiesBelow: 101 }));
  await store.close();
  const database = await openSqlite(path, { readOnly: false });
  database.exec("vacuum");
  database.close();
  expect(await pages("page_count")).toBeLessThan(full * 0.2);
});

it("runs go through retention in a file: compacted, then deleted", async () => {
  const { store } = await journal();
  await expect(mustRetireRuns(store)).resolves.toBeUndefined();
});
