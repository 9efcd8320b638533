import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describePostgres } from "../postgres/shared-server.ts";
import { postgresJournal } from "./postgres-journal.ts";
import { recordScenario } from "./scenario.ts";
import type { SqlJournal } from "./sql-journal.ts";
import { sqliteJournal } from "./sqlite-journal.ts";

const text = await readFile(join(import.meta.dirname, "..", "..", "docs", "sql.md"), "utf8");

/** A comment at the beginning says for which engine a statement is meant; without one it is for all. */
const statements = Array.from(text.matchAll(/```sql\n(?:-- (\w+)\n)?([^`]+)```/g), ([, engine, sql = ""]) => ({
  engine,
  sql,
}));

const documented = Array.from(text.matchAll(/^\| `(tape_\w+)` \| [^|]+ \| ([^|]+) \|$/gm), ([, view, columns]) => ({
  view: String(view),
  columns: columns?.replaceAll(/ \([^)]*\)/g, "").split(", "),
}));

describe("docs/sql.md on SQLite", () => {
  holds(sqliteJournal);
});
describePostgres("docs/sql.md on PostgreSQL", () => holds(postgresJournal));
describePostgres("docs/sql.md on an older PostgreSQL", () => holds(async () => postgresJournal("oldest")), "oldest");

function holds(open: () => Promise<SqlJournal>): void {
  let journal: SqlJournal;

  beforeAll(async () => {
    journal = await open();
    await recordScenario(journal.url);
  });
  afterAll(async () => journal.remove());

  it("every statement runs", async () => {
    const own = statements.filter(({ engine }) => engine === undefined || engine === journal.engine);
    expect(own.length).toBeGreaterThan(4);
    for (const { sql } of own) await expect(journal.query(sql)).resolves.toBeInstanceOf(Array);
  });

  it("the columns are those of the views", async () => {
    const found: unknown[] = [];
    for (const { view } of documented) found.push({ view, columns: await journal.columns(view) });
    expect(documented).toHaveLength(6);
    expect(documented).toEqual(found);
  });
}

it("no statement is for an engine that there is not", () => {
  const engines = new Set(statements.map(({ engine }) => engine));
  expect(engines).toEqual(new Set(["PostgreSQL", "SQLite", undefined]));
});
