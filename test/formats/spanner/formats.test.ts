import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { defaultDeadlines, type Database } from "../../../src/store/spanner/database.ts";
import type { WireValue } from "../../../src/store/spanner/driver.ts";
import { Place } from "../../../src/store/spanner/place.ts";
import { schemaSteps } from "../../../src/store/spanner/schema.ts";
import { parseSpannerUrl } from "../../../src/store/spanner/spanner-url.ts";
import { startingWith } from "../../../src/store/spanner/values.ts";
import { describeSpanner } from "../../emulators/shared-emulator.ts";
import { Scene } from "../../spanner/fixture.ts";
import { mustHoldAndGoOn, textContent, writeAll, type Content } from "../stored-content.ts";

/** Every format that was ever released. */
const formats = [1];

/** The columns of each table, parents before their children. */
const tables = {
  tape_rows: ["shard", "row_id", "version", "commit_id", "committed_at"],
  tape_versions: ["shard", "row_id", "version", "commit_id"],
  tape_entries: [
    "shard",
    "row_id",
    "seq",
    "kind",
    "ref",
    "dims",
    "meta",
    "at_ms",
    "trace",
    "commit_id",
    "body_bytes",
    "body_parts",
    "body",
    "head",
  ],
  tape_bodies: ["shard", "row_id", "seq", "part", "body"],
  tape_index: ["name", "shard", "key", "row_id"],
  tape_feed: ["shard", "committed_at", "row_id", "first_seq", "entries"],
} as const;

/** Rows of each table as Spanner answers them: numbers and times as texts, bytes in base64. */
type Fixture = Readonly<Record<string, readonly (readonly (string | null)[])[]>>;

const fixture = (format: number): string => join(import.meta.dirname, `spanner-${format}.json`);

async function databaseOf(scene: Scene): Promise<Database> {
  const place = new Place(parseSpannerUrl(scene.url()), defaultDeadlines);
  onTestFinished(() => place.close());
  return place.open();
}

async function writeFixture(host: string, batches: Content): Promise<void> {
  const scene = new Scene(host);
  await writeAll(await scene.open(), batches);
  const database = await databaseOf(scene);
  const found: Record<string, readonly (readonly (string | null)[])[]> = {};
  for (const [table, columns] of Object.entries(tables)) {
    const { rows } = await database.read({ table, columns, keySet: { ranges: [startingWith()] } });
    found[table] = rows.map((row) => columns.map((_, i) => (row.isNull(i) ? null : row.text(i))));
  }
  await writeFile(fixture(schemaSteps.length), `${JSON.stringify(found, null, 1)}\n`);
}

async function load(database: Database, found: Fixture): Promise<void> {
  const value = (text: string | null): WireValue =>
    text === null ? { nullValue: "NULL_VALUE" } : { stringValue: text };
  await database.commit(
    Object.entries(tables).flatMap(([table, columns]) => {
      const values = (found[table] ?? []).map((row) => ({ values: row.map(value) }));
      return values.length === 0 ? [] : [{ insert: { table, columns, values } }];
    }),
  );
}

describeSpanner("formats of Spanner", (host) => {
  it.each(formats)("a journal of format %i is read back exactly, and goes on", async (format) => {
    const batches = await textContent();
    if (process.env["TAPE_WRITE_FIXTURES"] === "1" && format === schemaSteps.length) await writeFixture(host, batches);
    const scene = new Scene(host);
    const store = await scene.open();
    await load(await databaseOf(scene), JSON.parse(await readFile(fixture(format), "utf8")) as Fixture);
    await expect(mustHoldAndGoOn(store, batches)).resolves.toBeUndefined();
  });
});

it("every format has its fixture", () => {
  expect(schemaSteps.map(({ id }) => id)).toEqual(formats);
});
