import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseBigtableUrl } from "../../../src/store/bigtable/bigtable-url.ts";
import { setCell, setCellAt } from "../../../src/store/bigtable/cells.ts";
import { keyColumn } from "../../../src/store/bigtable/keys.ts";
import { Scene } from "../../bigtable/fixture.ts";
import { rawTable, rowsOfJournal } from "../../bigtable/raw-table.ts";
import { describeBigtable } from "../../emulators/shared-emulator.ts";
import { mustHoldAndGoOn, textContent, writeAll, type Content } from "../stored-content.ts";

/** Every format that was ever released. */
const formats = [1];
const newestFormat = 1;

/** Key and cells, in base64, of each row. */
type Fixture = readonly (readonly [string, Readonly<Record<string, string>>])[];

const fixture = (format: number): string => join(import.meta.dirname, `bigtable-${format}.json`);

async function writeFixture(host: string, batches: Content): Promise<void> {
  const scene = new Scene(host);
  const store = await scene.open();
  await writeAll(store, batches);
  // What is removed afterwards is gone when the store has closed.
  await store.close();
  const rows: Fixture = (await rowsOfJournal(scene.url())).map(({ key, cells }) => [
    key,
    Object.fromEntries([...cells].map(([name, cell]) => [name, cell.toString("base64")])),
  ]);
  const lines = rows.map((row) => JSON.stringify(row)).join(",\n");
  await writeFile(fixture(newestFormat), `[\n${lines}\n]\n`);
}

async function load(url: string, rows: Fixture): Promise<void> {
  const { prefix } = parseBigtableUrl(url);
  const table = await rawTable(url);
  await table.change(
    rows.map(([key, cells]) => ({
      key: `${prefix}/${key}`,
      mutations: Object.entries(cells).map(([name, cell]) =>
        key.startsWith("x#") ? setCellAt(keyColumn, 1) : setCell(name, Buffer.from(cell, "base64")),
      ),
    })),
  );
}

describeBigtable("formats of Bigtable", (host) => {
  it.each(formats)("a journal of format %i is read back exactly, and goes on", async (format) => {
    const batches = await textContent();
    if (process.env["TAPE_WRITE_FIXTURES"] === "1" && format === newestFormat) await writeFixture(host, batches);
    const scene = new Scene(host);
    // Only to make the table.
    await new Scene(host).open();
    await load(scene.url(), JSON.parse(await readFile(fixture(format), "utf8")) as Fixture);
    await expect(mustHoldAndGoOn(await scene.open(), batches)).resolves.toBeUndefined();
  });
});
