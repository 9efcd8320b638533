import { expect, it, onTestFinished } from "vitest";
import { pendingMigrations } from "../../src/store/sql/migration.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { migrations } from "../../src/store/postgres/schema.ts";
import type { MigrationStep, Store } from "../../src/store/store.ts";
import { appendTo, commit, refused } from "../../src/testing/test-store/material.ts";
import { ask } from "./foreign-session.ts";
import { describePostgres, newSchema, type Schema } from "./shared-server.ts";
import { runTape } from "./tape-process.ts";

const eight = Array.from({ length: 8 });
const second: MigrationStep = { id: 2, name: "more", statements: "create table tape_more (n integer)" };
const twoSteps = [...migrations, second];

async function emptySchema(): Promise<Schema> {
  const schema = await newSchema();
  onTestFinished(() => schema.drop());
  return schema;
}

function storeIn(schema: Schema, known: readonly MigrationStep[] = migrations): Store {
  const store = postgresStore(schema.url, { migrations: known });
  onTestFinished(() => store.close());
  return store;
}

describePostgres("migrations", () => {
  const tablesOf = async (schema: Schema): Promise<readonly unknown[]> => {
    const sql = `select relname from pg_class where relnamespace = '${schema.name}'::regnamespace and relkind = 'r'`;
    return (await ask(schema.directUrl, `${sql} order by 1`)).map((line) => line["relname"]);
  };
  const stepsIn = async (schema: Schema): Promise<readonly unknown[]> =>
    (await ask(schema.directUrl, `select id from ${schema.name}.tape_migrations order by id`)).map(({ id }) => id);

  it("of eight servers that start together, each step is applied by one, and all are open", async () => {
    const schema = await emptySchema();
    const stores = eight.map(() => storeIn(schema, twoSteps));
    const reports = await Promise.all(stores.map((store) => store.migrate({ dryRun: false })));
    expect(reports.flatMap(({ steps }) => steps.map(({ id }) => id)).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(await stepsIn(schema)).toEqual([1, 2]);
    await Promise.all(stores.map((store, i) => commit(store, appendTo(`row-${i}`, 0))));
  });

  it("the same with eight processes", async () => {
    const schema = await emptySchema();
    const words = ["migrate", "--store", schema.url, "--json"];
    const ended = await Promise.all(eight.map(() => runTape(words)));
    expect(ended.map(({ code, err }) => ({ code, err }))).toEqual(eight.map(() => ({ code: 0, err: "" })));
    const applied = ended.flatMap(({ out }) => (JSON.parse(out) as { steps: readonly unknown[] }).steps);
    expect(applied).toHaveLength(migrations.length);
    expect(await stepsIn(schema)).toEqual(migrations.map(({ id }) => id));
  });

  it("a step that fails half-way leaves nothing of itself, and those before it stay", async () => {
    const schema = await emptySchema();
    const broken = { ...second, statements: `${second.statements}; select 1 / 0` };
    const store = storeIn(schema, [...migrations, broken]);
    await expect(store.migrate({ dryRun: false })).rejects.toThrow("(SQLSTATE 22012)");
    expect(await stepsIn(schema)).toEqual([1]);
    expect(await tablesOf(schema)).not.toContain("tape_more");
    await refused(store.read(appendTo("row", 0).row), "STORE_NOT_USABLE", "reading before it is open");
    await storeIn(schema, twoSteps).migrate({ dryRun: false });
    expect(await tablesOf(schema)).toContain("tape_more");
  });

  it("a first step that fails leaves not even the schema", async () => {
    const schema = await emptySchema();
    await schema.drop();
    const store = storeIn(schema, [{ id: 1, name: "broken", statements: "create table tape_x (); select 1 / 0" }]);
    await expect(store.migrate({ dryRun: false })).rejects.toThrow("(SQLSTATE 22012)");
    expect(await ask(schema.directUrl, `select from pg_namespace where nspname = '${schema.name}'`)).toEqual([]);
  });

  it("a step that is known otherwise is refused, and nothing is changed", async () => {
    const schema = await emptySchema();
    await storeIn(schema).migrate({ dryRun: false });
    const [first] = migrations;
    const other = first === undefined ? [] : [{ ...first, statements: `${first.statements}-- ` }, second];
    const store = storeIn(schema, other);
    await refused(store.open(), "STORE_NOT_USABLE", "opening");
    await refused(store.migrate({ dryRun: true }), "STORE_NOT_USABLE", "looking");
    await expect(store.migrate({ dryRun: false })).rejects.toThrow(
      /^the journal in schema "test_\w+" of database "postgres" at 127\.0\.0\.1:\d+ was migrated by another build of Tape: step 1 \(journal\) is not the one known here; use the version that made it$/,
    );
    expect(await stepsIn(schema)).toEqual([1]);
  });

  it("a newer schema is refused by all who know less, and not touched", async () => {
    const schema = await emptySchema();
    await storeIn(schema, twoSteps).migrate({ dryRun: false });
    const old = storeIn(schema);
    await refused(old.open(), "FORMAT_NEWER", "opening");
    await refused(old.migrate({ dryRun: true }), "FORMAT_NEWER", "looking");
    await expect(old.migrate({ dryRun: false })).rejects.toThrow(
      "has format 2, this version of Tape reads up to 1; upgrade Tape",
    );
    expect(await stepsIn(schema)).toEqual([1, 2]);
  });

  it("opening what is not up to date says so and changes nothing", async () => {
    const schema = await emptySchema();
    const store = storeIn(schema);
    await expect(store.open()).rejects.toThrow("is not ready: 1 migration step is pending; run `tape migrate`");
    await refused(store.open(), "MIGRATION_PENDING", "opening");
    expect(await tablesOf(schema)).toEqual([]);
  });

  it("a dry run lists what is pending and makes nothing, not even the schema", async () => {
    const schema = await emptySchema();
    await schema.drop();
    const { steps, dryRun } = await storeIn(schema).migrate({ dryRun: true });
    expect({ dryRun, steps: steps.map(({ name }) => name) }).toEqual({ dryRun: true, steps: ["journal"] });
    expect(await ask(schema.directUrl, `select from pg_namespace where nspname = '${schema.name}'`)).toEqual([]);
    expect(pendingMigrations(migrations, [], "x")).toHaveLength(steps.length);
  });

  it("journals in two schemas of one database know nothing of each other", async () => {
    const [a, b] = [await emptySchema(), await emptySchema()];
    const stores = [storeIn(a), storeIn(b)];
    await Promise.all(stores.map((store) => store.migrate({ dryRun: false })));
    await Promise.all(stores.map((store) => commit(store, appendTo("row", 0))));
    for (const store of stores) expect((await store.read(appendTo("row", 0).row))?.version).toBe(1);
  });

  it("a schema whose name must be quoted is as good as any", async () => {
    const schema = await emptySchema();
    const name = `${schema.name}"; -- ' \\ é`;
    const store = postgresStore(`${schema.directUrl.replace(/schema=.*/, "")}schema=${encodeURIComponent(name)}`);
    onTestFinished(async () => {
      await store.close();
      await ask(schema.directUrl, `drop schema "${name.replaceAll('"', '""')}" cascade`);
    });
    await store.migrate({ dryRun: false });
    await commit(store, appendTo("row", 0));
    expect((await store.tail({ after: 0, limit: 10 })).entries).toHaveLength(1);
  });
});
