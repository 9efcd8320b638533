import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openConnection } from "../../src/store/sqlite/connection.ts";
import type { Line, SqlJournal } from "./sql-journal.ts";

/** Columns that hold JSON: for SQLite they are texts like others. */
const json: ReadonlySet<string> = new Set(["labels", "state", "value"]);

const parsed = (line: object): Line =>
  Object.fromEntries(
    Object.entries(line).map(([name, cell]) => [name, json.has(name) ? JSON.parse(String(cell)) : cell]),
  );

/** A journal in a file of its own. It is opened for asking when the first question comes, after it was written. */
export async function sqliteJournal(): Promise<SqlJournal> {
  const directory = await mkdtemp(join(tmpdir(), "tape-views-"));
  const path = join(directory, "tape.db");
  let opening: ReturnType<typeof openConnection> | undefined;
  const query = async (sql: string): Promise<readonly Line[]> => {
    const database = await (opening ??= openConnection({ path, readOnly: true, busyTimeoutMs: 1000 }));
    return database.prepare(sql).all().map(parsed);
  };
  const names = async (sql: string): Promise<readonly string[]> =>
    (await query(sql)).map((line) => String(line["name"]));
  return {
    url: `sqlite:${path}`,
    engine: "SQLite",
    query,
    columns: async (view) => names(`select name from pragma_table_info('${view}')`),
    views: async () => names("select name from sqlite_schema where type = 'view' order by name"),
    remove: async () => {
      (await opening)?.close();
      await rm(directory, { recursive: true });
    },
  };
}
