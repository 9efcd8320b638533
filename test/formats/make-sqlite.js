/*
 * Writes the fixture of the SQLite format that the built code writes: `npm run build && node test/formats/make-sqlite.js`.
 * A released fixture never changes: a new format gets a new file and an entry in formats.test.ts.
 */
import { readFileSync, rmSync } from "node:fs";
import { sqliteFileStore } from "../../dist/store/sqlite/sqlite-store.js";
import { migrations } from "../../dist/store/sqlite/schema.js";

const path = new URL(`sqlite-${migrations.length}.db`, import.meta.url).pathname;
const batches = JSON.parse(readFileSync(new URL("content.json", import.meta.url), "utf8"), (key, value) =>
  key === "head" || key === "body" ? new Uint8Array(Buffer.from(value, "base64")) : value,
);

for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
const store = sqliteFileStore({ path });
await store.migrate({ dryRun: false });
for (const batch of batches) {
  const outcomes = await store.append(batch);
  if (outcomes.some(({ kind }) => kind !== "committed")) throw new Error(JSON.stringify(outcomes));
}
await store.close();
