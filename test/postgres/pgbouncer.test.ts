import { Client } from "pg";
import { expect, it } from "vitest";
import { describePgBouncer, newSchema } from "./shared-server.ts";

describePgBouncer("PgBouncer in front of the shared server", ({ url, directUrl }) => {
  it("shares few connections among many clients, a transaction at a time", async () => {
    const clients = Array.from({ length: 24 }, () => new Client({ connectionString: url }));
    try {
      const sessions = await Promise.all(
        clients.map(async (client) => {
          await client.connect();
          const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
          return rows[0]?.pid;
        }),
      );
      expect(sessions).not.toContain(undefined);
      expect(new Set(sessions).size).toBeLessThanOrEqual(8);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  });

  it("has schemas of a test, reached both ways", async () => {
    const schema = await newSchema("pgbouncer");
    expect(schema.url).toBe(`${url}&schema=${schema.name}`);
    expect(schema.directUrl).toBe(`${directUrl}?schema=${schema.name}`);
    await schema.drop();
  });
});
