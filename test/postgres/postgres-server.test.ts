import { existsSync } from "node:fs";
import { Client } from "pg";
import { expect, it, onTestFinished } from "vitest";
import { findPostgres } from "./find-postgres.ts";
import { type PostgresOptions, type PostgresServer, startPostgres, type UrlParts } from "./postgres-server.ts";
import { describePostgres } from "./shared-server.ts";

async function start(options?: PostgresOptions): Promise<PostgresServer> {
  const server = await startPostgres(options);
  onTestFinished(() => server.stop());
  return server;
}

async function ask(server: PostgresServer, sql: string, parts?: UrlParts): Promise<unknown> {
  const client = new Client({ connectionString: server.url(parts) });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return Object.values(rows.at(0) ?? {})[0];
  } finally {
    await client.end();
  }
}

describePostgres("a server of a test", () => {
  it.each(findPostgres().map(({ version }) => version))(
    "runs as version %d, over TCP and its socket",
    async (version) => {
      const installation = findPostgres().find((one) => one.version === version);
      const server = await start(installation === undefined ? {} : { installation });
      const sql = "select current_setting('server_version_num')::int / 10000";
      expect(await ask(server, sql)).toBe(version);
      expect(await ask(server, sql, { host: "socket" })).toBe(version);
    },
  );

  it("takes settings, access rules, a password and files", async () => {
    const seen: string[] = [];
    const server = await start({
      settings: { application_name: "it's", work_mem: "5MB" },
      hba: "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
      prepare: async (folder) => {
        seen.push(folder);
      },
    });
    expect(seen).toEqual([server.dataFolder]);
    const local = { host: "socket" } as const;
    expect(await ask(server, "select current_setting('work_mem')", local)).toBe("5MB");
    await ask(server, `create role "r@x" login password 'p:w/?'`, local);
    const parts = { user: "r@x", password: "p:w/?", params: { application_name: "a b" } };
    expect(await ask(server, "select current_setting('application_name')", parts)).toBe("a b");
    await expect(ask(server, "select 1", { ...parts, password: "other" })).rejects.toMatchObject({ code: "28P01" });
  });

  it("keeps what was committed when it is killed, and comes back on the same port", async () => {
    const server = await start();
    await ask(server, "create table t as select 7 as n");
    const client = new Client({ connectionString: server.url() });
    client.on("error", () => undefined);
    await client.connect();
    const first = server.pid;
    await server.kill();
    expect(server.pid).toBeUndefined();
    await expect(ask(server, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await server.start();
    expect(server.pid).not.toBe(first);
    expect(await ask(server, "select n from t")).toBe(7);
  });

  it("leaves nothing behind, also after it was killed, and may be stopped twice", async () => {
    const server = await start();
    await server.kill();
    await server.stop();
    await server.stop();
    expect(existsSync(server.socketFolder)).toBe(false);
  });

  it("says why it does not start, and leaves nothing then", async () => {
    await expect(startPostgres({ settings: { shared_buffers: "many" } })).rejects.toThrow(
      /postgres ended while starting: .*shared_buffers/,
    );
  });
});
