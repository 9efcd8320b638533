import { expect, it, onTestFinished } from "vitest";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { migrations } from "../../src/store/postgres/schema.ts";
import type { MigrationStep, Store } from "../../src/store/store.ts";
import { appendTo, commit, feedOf, namesOf, refused } from "../../src/testing/test-store/material.ts";
import { ask } from "./foreign-session.ts";
import { describePostgres, newSchema } from "./shared-server.ts";

/** A step as a later version might add it: more, and nothing other than before. */
const next: MigrationStep = {
  id: migrations.length + 1,
  name: "next",
  statements: "alter table tape_rows add column later text; create table tape_later (n integer)",
};

describePostgres("a server of the version before", () => {
  it("goes on beside newer ones, on new connections too, and is refused when it starts again", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const open = (known: readonly MigrationStep[]): Store => {
      const store = postgresStore(`${schema.url}&application_name=${schema.name}`, { migrations: known });
      onTestFinished(() => store.close());
      return store;
    };
    const old = open(migrations);
    await old.migrate({ dryRun: false });
    await commit(old, appendTo("a", 0));

    const newer = open([...migrations, next]);
    expect((await newer.migrate({ dryRun: false })).steps.map(({ name }) => name)).toEqual(["next"]);
    await commit(old, appendTo("a", 1));
    await commit(newer, appendTo("a", 2));
    await ask(
      schema.directUrl,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${schema.name}'`,
    );
    await expect.poll(async () => (await old.read(appendTo("a", 0).row))?.version).toBe(3);
    await commit(old, appendTo("a", 3));
    expect(namesOf(await feedOf(newer, 4))).toEqual(["a:1", "a:2", "a:3", "a:4"]);

    await refused(open(migrations).open(), "FORMAT_NEWER", "starting the version before");
    await refused(open(migrations).migrate({ dryRun: false }), "FORMAT_NEWER", "migrating with the version before");
  });

  it("does not hinder a newer one that may not migrate: that one says what is missing", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const old = postgresStore(schema.url);
    onTestFinished(() => old.close());
    await old.migrate({ dryRun: false });
    const newer = postgresStore(schema.url, { migrations: [...migrations, next] });
    onTestFinished(() => newer.close());
    await refused(newer.open(), "MIGRATION_PENDING", "starting without migrating");
    await expect(commit(old, appendTo("a", 0))).resolves.toHaveLength(1);
  });
});
