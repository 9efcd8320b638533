import type { RowId } from "../../src/model/row.ts";
import { defaultDeadlines } from "../../src/store/spanner/database.ts";
import type { Mutation } from "../../src/store/spanner/driver.ts";
import { Place } from "../../src/store/spanner/place.ts";
import { parseSpannerUrl } from "../../src/store/spanner/spanner-url.ts";
import { startingWith, wireList, type ColumnValue } from "../../src/store/spanner/values.ts";
import type { Cell, CellValue, DamageHand } from "./hand.ts";

type Kind = "integer" | "text" | "bytes";

/** A table: what its columns hold, and which of them are its key. */
interface Table {
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, Kind>>;
  /** Its lines are not moved: those of other tables that are interleaved in them would go with them. */
  readonly isParent?: true;
}

const ofRow = { shard: "integer", row_id: "text" } as const;

/** Every table with lines about a row. */
const tables: Readonly<Record<string, Table>> = {
  tape_rows: {
    key: ["shard", "row_id"],
    isParent: true,
    columns: { ...ofRow, version: "integer", commit_id: "text", committed_at: "text" },
  },
  tape_versions: {
    key: ["shard", "row_id", "version"],
    columns: { ...ofRow, version: "integer", commit_id: "text" },
  },
  tape_entries: {
    key: ["shard", "row_id", "seq"],
    columns: {
      ...ofRow,
      seq: "integer",
      kind: "text",
      ref: "text",
      dims: "text",
      meta: "text",
      at_ms: "integer",
      trace: "text",
      commit_id: "text",
      body_bytes: "integer",
      body_parts: "integer",
      body: "bytes",
      head: "bytes",
    },
  },
  tape_bodies: {
    key: ["shard", "row_id", "seq", "part"],
    columns: { ...ofRow, seq: "integer", part: "integer", body: "bytes" },
  },
  tape_index: { key: ["name", "shard", "key", "row_id"], columns: { name: "text", ...ofRow, key: "text" } },
  tape_feed: {
    key: ["shard", "committed_at", "row_id"],
    columns: { ...ofRow, committed_at: "text", first_seq: "integer", entries: "integer" },
  },
};

/** A line as it stands in its table. */
interface Line {
  readonly table: string;
  readonly values: Readonly<Record<string, CellValue>>;
}

const columnValue = (value: CellValue | undefined): ColumnValue =>
  value === undefined ? null : typeof value === "bigint" ? String(value) : value;

/** For a journal in this Spanner database. */
export async function spannerHand(url: string): Promise<DamageHand> {
  const place = new Place(parseSpannerUrl(url), defaultDeadlines);
  const database = await place.open();

  async function linesOf(name: string, row: RowId): Promise<readonly Line[]> {
    const columns = Object.entries(tables[name]?.columns ?? {});
    const all = { keySet: { ranges: [startingWith()] } };
    const { rows } = await database.read({ table: name, columns: columns.map(([column]) => column), ...all });
    return rows
      .map((found) => ({
        table: name,
        values: Object.fromEntries(
          columns.map(([column, kind], i): [string, CellValue] => {
            if (found.isNull(i)) return [column, null];
            if (kind === "integer") return [column, BigInt(found.text(i))];
            return [column, kind === "bytes" ? found.bytes(i) : found.text(i)];
          }),
        ),
      }))
      .filter(({ values }) => values["row_id"] === row);
  }

  const changeOf = (line: Line, column: string, value: CellValue): readonly Mutation[] => {
    const { key = [], columns = {} } = tables[line.table] ?? {};
    const keyOf = (): readonly ColumnValue[] => key.map((name) => columnValue(line.values[name]));
    if (!key.includes(column)) {
      const values = [wireList([...keyOf(), columnValue(value)])];
      return [{ update: { table: line.table, columns: [...key, column], values } }];
    }
    // A column of the key cannot be changed: the line goes, and comes again elsewhere.
    const names = Object.keys(columns);
    const moved = names.map((name) => columnValue(name === column ? value : line.values[name]));
    return [
      { delete: { table: line.table, keySet: { keys: [wireList(keyOf())] } } },
      { insert: { table: line.table, columns: names, values: [wireList(moved)] } },
    ];
  };

  return {
    tables: Object.keys(tables),
    async cells(row, name) {
      const found = await linesOf(name, row);
      const { key = [], isParent = false } = tables[name] ?? {};
      return found.flatMap((line): readonly Cell[] => {
        const seq = Number(line.values["seq"] ?? 0);
        return Object.entries(line.values)
          .filter(([column]) => !isParent || !key.includes(column))
          .map(([column, value]) => ({ column: `${name}.${column}`, seq, value, line }));
      });
    },
    async write(cell, value) {
      const line = cell.line as Line;
      const column = cell.column.slice(line.table.length + 1);
      await database.commit(changeOf(line, column, value));
      return { ...cell, value, line: { ...line, values: { ...line.values, [column]: value } } };
    },
    close: () => place.close(),
  };
}
