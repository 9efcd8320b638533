import { Client, types } from "pg";
import type { SharedKind } from "../postgres/server-desk.ts";
import { newSchema } from "../postgres/shared-server.ts";
import type { Line, SqlJournal } from "./sql-journal.ts";

/** What the views have beside texts and JSON, with how a test wants to see it. */
const parsers = new Map<number, (text: string) => unknown>([
  [types.builtins.INT8, Number],
  [types.builtins.NUMERIC, Number],
  [types.builtins.TIMESTAMPTZ, (text) => new Date(text).toISOString()],
]);

const getTypeParser: typeof types.getTypeParser = (id: number, format?: "text" | "binary") =>
  parsers.get(id) ?? (types.getTypeParser(id, format) as (text: string) => unknown);

/** A journal in a schema of its own, with what only PostgreSQL has. */
export interface PostgresJournal extends SqlJournal {
  readonly schema: string;
  /** Each column of each view with its type. */
  types(): Promise<readonly Line[]>;
  /** A connection that finds the journal's tables without being told the schema. */
  readonly client: Client;
}

/** A new journal on the shared server. */
export async function postgresJournal(kind: SharedKind = "newest"): Promise<PostgresJournal> {
  const schema = await newSchema(kind);
  const client = new Client({ connectionString: schema.directUrl, types: { getTypeParser } });
  await client.connect();
  await client.query(`set search_path to ${schema.name}`);
  const query = async (sql: string): Promise<readonly Line[]> => (await client.query<Line>(sql)).rows;
  const names = async (sql: string): Promise<readonly string[]> =>
    (await query(sql)).map((line) => String(line["name"]));
  const ofViews = `from information_schema.columns join information_schema.views using (table_schema, table_name)
    where table_schema = '${schema.name}'`;
  return {
    url: schema.url,
    engine: "PostgreSQL",
    schema: schema.name,
    client,
    query,
    columns: async (view) =>
      names(`select column_name as name ${ofViews} and table_name = '${view}' order by ordinal_position`),
    views: async () =>
      names(`select table_name as name from information_schema.views
      where table_schema = '${schema.name}' order by table_name`),
    types: async () => query(`select column_name::text as name, data_type::text as type ${ofViews}`),
    remove: async () => {
      await client.end();
      await schema.drop();
    },
  };
}
