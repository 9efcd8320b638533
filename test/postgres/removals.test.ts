import { Client } from "pg";
import { expect, it, onTestFinished } from "vitest";
import { createStore } from "../../src/store/open-store.ts";
import { appendTo, commit, entry, patternBytes, upTo } from "../../src/testing/test-store/material.ts";
import { mustRetireRuns } from "../engine/retained-run.ts";
import { describePostgres, newSchema } from "./shared-server.ts";

describePostgres("PostgreSQL, bodies that are dropped", (postgres) => {
  it("make room for others once the table was vacuumed", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const store = await createStore(schema.url);
    onTestFinished(() => store.close());
    await store.migrate({ dryRun: false });
    const client = new Client({ connectionString: postgres.directUrl });
    await client.connect();
    onTestFinished(() => client.end());
    const table = `${schema.name}.tape_entries`;
    const ask = async (sql: string): Promise<number> =>
      Number((await client.query<{ n: string }>(`select ${sql} as n`)).rows[0]?.n);
    const write = async (row: string): Promise<void> => {
      const entries = upTo(20).map((i) => entry(i + 1, { body: patternBytes(50_000, i) }));
      await commit(store, appendTo(row, 0, { entries }));
    };
    const size = (): Promise<number> => ask(`pg_total_relation_size('${table}')`);
    await write("a");
    const full = await size();
    expect(full).toBeGreaterThan(1_000_000);
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 21 }));
    expect(await ask(`(select count(*) from ${table} where body is not null)`)).toBe(0);
    await client.query(`vacuum ${table}`);
    await write("b");
    expect(await size()).toBeLessThan(full * 1.2);
  });
});

describePostgres("PostgreSQL, retention", () => {
  it("compacts runs, then deletes them", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const store = await createStore(schema.url);
    onTestFinished(() => store.close());
    await store.migrate({ dryRun: false });
    await expect(mustRetireRuns(store)).resolves.toBeUndefined();
  });
});
