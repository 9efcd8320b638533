import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { appendTo, rowId } from "../../testing/test-store/material.ts";
import { openSqlite } from "./open-sqlite.ts";
import { sqliteFileStore } from "./sqlite-store.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tape-damaged-"));
  path = join(directory, "tape.db");
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe("an entry whose columns are damaged", () => {
  it.each([
    ["its time", "at = 1 << 62", { at: 2 ** 62 }],
    ["its time, before all others", "at = -(1 << 62)", { at: -(2 ** 62) }],
    ["its meta, no UTF-8 any more", "meta = cast(x'7bff' as text)", { meta: "{\u{fffd}" }],
    ["its kind, gone", "kind = ''", { kind: "" }],
    ["its subject", "dims = '//%zz'", { dims: "//%zz" }],
  ])("is in the feed as it is stored, and stops nobody: %s", async (_what, change, as) => {
    const store = sqliteFileStore({ path });
    await store.migrate({ dryRun: false });
    await store.append(["a", "b", "c"].map((row) => appendTo(row, 0)));
    const before = await store.tail({ after: 0, limit: 10 });
    await store.close();
    const database = await openSqlite(path, { readOnly: false });
    database.exec(`update tape_entries set ${change} where row_id = (select id from tape_rows where row = 'b')`);
    database.close();
    const again = sqliteFileStore({ path });
    onTestFinished(() => again.close());
    await again.open();
    const page = await again.tail({ after: 0, limit: 10 });
    expect(page).toEqual({
      ...before,
      entries: before.entries.map((one) => (one.row === "b" ? { ...one, ...as } : one)),
    });
    expect((await again.read(rowId("b")))?.entries).toMatchObject([as]);
  });
});
