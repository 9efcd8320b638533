import { Client } from "pg";
import { openSqlite } from "../../src/store/sqlite/open-sqlite.ts";
import type { RowId } from "../../src/model/row.ts";
import type { Cell, CellValue, DamageHand } from "./hand.ts";

/** How the SQL stores differ for a hand. */
interface SqlDialect {
  /** Runs a statement; parameters are `?`. Integers come as bigints. */
  readonly run: (sql: string, parameters: readonly CellValue[]) => Promise<readonly Line[]>;
  /** A table by its full name. */
  readonly table: (name: string) => string;
  /** Tables beside those that both have, by the condition that finds a row's lines in them. */
  readonly more: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/** Where the lines about a row are, in the tables that SQLite and PostgreSQL share. */
const lines: Readonly<Record<string, string>> = {
  tape_rows: "row = ?",
  tape_entries: "row_id = (select id from {tape_rows} where row = ?)",
  tape_index: "row = ?",
};

/** What tells the lines of a table apart. */
const keys: Readonly<Record<string, readonly string[]>> = {
  tape_rows: ["id"],
  tape_entries: ["position"],
  tape_index: ["idx", "key", "row"],
  tape_bodies: ["position"],
};

type Line = Readonly<Record<string, CellValue>>;

/** A hand for the tables that SQLite and PostgreSQL share. */
function sqlHand({ run, table, more, close }: SqlDialect): DamageHand {
  const named = (sql: string): string => sql.replaceAll(/\{(\w+)\}/g, (_, name: string) => table(name));
  const conditions = { ...lines, ...more };
  return {
    tables: Object.keys(conditions),
    async cells(row: RowId, name: string) {
      const found = await run(named(`select * from {${name}} where ${conditions[name] ?? "false"}`), [row]);
      return found.flatMap((line): readonly Cell[] => {
        const seq = Number(line["seq"] ?? 0);
        return Object.entries(line).map(([column, value]) => ({ column: `${name}.${column}`, seq, value, line }));
      });
    },
    async write(cell, value) {
      const [name = "", column = ""] = cell.column.split(".");
      const line = cell.line as Line;
      const key = keys[name] ?? [];
      const condition = key.map((one) => `${one} = ?`).join(" and ");
      const changed = await run(named(`update {${name}} set ${column} = ? where ${condition} returning 1 as one`), [
        value,
        ...key.map((one) => line[one] ?? null),
      ]);
      if (changed.length === 0) throw new Error(`the line of ${cell.column} is not there any more`);
      return { ...cell, value, line: { ...line, [column]: value } };
    },
    close,
  };
}

/** Types of PostgreSQL whose values come as texts. */
const int8 = 20;

/** For a journal in this schema of a PostgreSQL server. */
export async function postgresHand(url: string, schema: string): Promise<DamageHand> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const types = {
    getTypeParser: (type: number) => (text: string | Buffer) =>
      type === int8 ? BigInt(String(text)) : type === 17 ? bytesOf(String(text)) : String(text),
  };
  return sqlHand({
    async run(sql, parameters) {
      let n = 0;
      const text = sql.replaceAll("?", () => `$${(n += 1)}`);
      const values = parameters.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
      const { rows } = await client.query<Record<string, CellValue>>({ text, values, types } as never);
      return rows;
    },
    table: (name) => `"${schema}".${name}`,
    more: {},
    close: () => client.end(),
  });
}

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.slice(2), "hex"));

/** For a journal in a SQLite file. */
export async function sqliteHand(path: string): Promise<DamageHand> {
  const database = await openSqlite(path, { readOnly: false });
  return sqlHand({
    run(sql, parameters) {
      const statement = database.prepare(sql) as ReturnType<typeof database.prepare> & {
        setReadBigInts: (on: boolean) => void;
      };
      statement.setReadBigInts(true);
      return Promise.resolve(statement.all(...parameters) as readonly Line[]);
    },
    table: (name) => name,
    more: {
      tape_bodies: `position in (select position from {tape_entries} where ${lines["tape_entries"]})`,
    },
    close: () => {
      database.close();
      return Promise.resolve();
    },
  });
}
