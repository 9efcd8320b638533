import { Client } from "pg";
import { expect, it } from "vitest";
import { describePostgres, newSchema, sharedPostgres } from "./shared-server.ts";

async function schemas(url: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>("select nspname as name from pg_namespace");
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

describePostgres("the shared server", ({ url }) => {
  it("is the same for all who ask", async () => {
    expect(await sharedPostgres()).toMatchObject({ url });
  });

  it("gives schemas of different names, which are gone when they have been dropped", async () => {
    const [a, b] = await Promise.all([newSchema(), newSchema()]);
    expect(a.url).toBe(`${url}?schema=${a.name}`);
    expect(await schemas(url)).toEqual(expect.arrayContaining([a.name, b.name]));
    await a.drop();
    await b.drop();
    await a.drop();
    const left = await schemas(url);
    expect(left).not.toContain(a.name);
    expect(left).not.toContain(b.name);
  });
});

describePostgres(
  "the shared server of the oldest version",
  (oldest) => {
    it("is not the one of the newest", async () => {
      const newest = await sharedPostgres();
      expect(oldest.version).toBeLessThan(newest.version);
      expect(oldest.url).not.toBe(newest.url);
    });
  },
  "oldest",
);
