import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { MigrationStep } from "../store.ts";
import { applyMigrations, mustBeMigrated } from "./migrate.ts";
import { openSqlite } from "./open-sqlite.ts";

const first: MigrationStep = { id: 1, name: "first", statements: "create table a (x)" };
const second: MigrationStep = { id: 2, name: "second", statements: "create table b (x)" };

it("a step that fails half-way leaves nothing of itself, and those before it stay", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tape-migrate-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const database = await openSqlite(join(folder, "tape.db"), { readOnly: false });
  onTestFinished(() => database.close());
  const tables = (): readonly unknown[] =>
    database
      .prepare("select name from sqlite_schema where type = 'table' order by 1")
      .all()
      .map(({ name }) => name);

  const broken = { ...second, statements: `${second.statements}; select nonsense` };
  expect(() => applyMigrations(database, [first, broken], "here")).toThrow("nonsense");
  expect(tables()).toEqual(["a", "tape_migrations"]);
  expect(() => mustBeMigrated(database, [first, second], "here")).toThrow("1 migration step is pending");

  expect(applyMigrations(database, [first, second], "here")).toEqual([second]);
  expect(tables()).toEqual(["a", "b", "tape_migrations"]);
});
