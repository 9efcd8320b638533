import { setTimeout as delay } from "node:timers/promises";
import { createInterface } from "node:readline";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describePostgres } from "../postgres/shared-server.ts";
import { type PostgresServer, startPostgres } from "../postgres/postgres-server.ts";
import { runDemo, startDemo } from "./run-demo.ts";

// A server of its own: that of the other suites must not die.
describePostgres("tape demo crash on PostgreSQL", () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres();
  });

  afterAll(async () => {
    await endSuccessor(server);
    await server.stop();
  });

  test("the database dies before, in and after a step, and comes back", { timeout: 240_000 }, async () => {
    const before = postmaster(server);
    const { code, report } = await runDemo(
      "--every-step",
      "--only",
      "the agent's recordDecision 1",
      "--store",
      server.url(),
    );
    expect(report).toMatchObject({ ok: true });
    expect(report).toHaveProperty(
      "cases",
      expect.arrayContaining(
        ["before", "during", "after"].map((when): unknown => expect.objectContaining({ victim: "database", when })),
      ),
    );
    expect(code).toBe(0);
    expect(postmaster(server)).not.toBe(before);
    expect(await demoSchemas(server)).toEqual([]);
  });

  test("a server that others use is spared, or the demo refuses", { timeout: 240_000 }, async () => {
    const before = postmaster(server);
    const client = new Client({ connectionString: server.url(), application_name: "bookkeeping" });
    await client.connect();
    try {
      const store = ["--store", server.url()];
      const refused = await runDemo(...store);
      expect(refused).toMatchObject({ code: 78, report: undefined });
      expect(refused.complaints).toMatch(
        /^tape: --store: the server of .* cannot be killed: others are connected to it \(bookkeeping, pid \d+\); end them, .* add --spare-database .*\n$/,
      );
      const spared = await runDemo(...store, "--spare-database");
      expect(spared).toMatchObject({ code: 0, report: { ok: true } });
      expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    } finally {
      await client.end();
    }
    expect(postmaster(server)).toBe(before);
    expect(await demoSchemas(server)).toEqual([]);
  });

  test("an interrupted demo leaves a database that runs", { timeout: 120_000 }, async () => {
    const { child, exited } = startDemo({}, "--store", server.url());
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes("kill -9") && line.includes("database")) child.kill("SIGINT");
    }
    expect(await exited).toEqual([130, null]);
    expect(await demoSchemas(server)).toEqual([]);
  });
});

/** Its number; the server that runs now may have been started by a demo. */
function postmaster(server: PostgresServer): number {
  const [pid] = readFileSync(join(server.dataFolder, "postmaster.pid"), "utf8").split("\n");
  return Number(pid);
}

async function demoSchemas(server: PostgresServer): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  try {
    const { rows } = await client.query<{ nspname: string }>(
      "select nspname from pg_namespace where nspname like 'tape_demo_%'",
    );
    return rows;
  } finally {
    await client.end();
  }
}

/** Ends the server that the demo has started in place of ours. */
async function endSuccessor(server: PostgresServer): Promise<void> {
  if (server.pid !== undefined) return;
  const lockFile = join(server.dataFolder, "postmaster.pid");
  process.kill(postmaster(server), "SIGINT");
  while (existsSync(lockFile)) await delay(20);
}
