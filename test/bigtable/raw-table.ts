import { onTestFinished } from "vitest";
import { parseBigtableUrl } from "../../src/store/bigtable/bigtable-url.ts";
import { newest } from "../../src/store/bigtable/cells.ts";
import { placeOptions } from "../../src/store/bigtable/connection.ts";
import { loadDriver } from "../../src/store/bigtable/driver.ts";
import type { BigtableRow } from "../../src/store/bigtable/read-rows.ts";
import { defaultDeadlines, Table } from "../../src/store/bigtable/table.ts";

/** The table that a URL names, with nothing of a journal's rules above it. */
export async function rawTable(url: string): Promise<Table> {
  const target = parseBigtableUrl(url);
  const client = (await loadDriver()).dataClient(await placeOptions(target));
  await client.initialize();
  onTestFinished(() => client.close());
  return new Table([client], target, defaultDeadlines);
}

/** Every row of a journal, in the order of the keys, which are given without its prefix. */
export async function rowsOfJournal(url: string): Promise<readonly BigtableRow[]> {
  const prefix = `${parseBigtableUrl(url).prefix}/`;
  const table = await rawTable(url);
  const rows = await table.read({ ranges: [{ start: prefix, end: `${prefix}~` }], filter: newest() });
  return rows.map(({ key, cells }) => ({ key: key.slice(prefix.length), cells }));
}
