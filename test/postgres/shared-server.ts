import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { describe, expect, inject, it } from "vitest";
import type { SharedAnswer, SharedKind } from "./server-desk.ts";

/** A PostgreSQL that all suites of a run share: each works in schemas of its own. */
export interface SharedPostgres {
  /** Major version. */
  readonly version: number;
  /** Superuser, default database; goes by way of PgBouncer where that was asked for. */
  readonly url: string;
  /** The same straight to the server. */
  readonly directUrl: string;
}

/** A schema for one test. */
export interface Schema {
  readonly name: string;
  /** A store URL that names it. */
  readonly url: string;
  /** The same straight to the server, where the suite goes by way of PgBouncer. */
  readonly directUrl: string;
  /** Removes it with everything in it. Connections that hold locks in it must have ended. */
  drop(): Promise<void>;
}

/**
 * A `describe` that needs the shared server. Where there is none it is skipped with the reason; with `CI=true` it fails.
 */
export function describePostgres(
  name: string,
  body: (postgres: SharedPostgres) => void | Promise<void>,
  kind: SharedKind = "newest",
): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller gives it
  describe(name, async () => {
    const answer = await ask(kind);
    if (answer.kind === "running") return body(answer);
    // A second version is a bonus that not every machine has.
    const mayMiss = kind === "oldest" || process.env["CI"] !== "true";
    if (mayMiss) process.stderr.write(`skipped: ${name}: ${answer.reason}\n`);
    it("has what it needs", ({ skip }) => {
      skip(mayMiss, answer.reason);
      expect.fail(answer.reason);
    });
  });
}

/** {@link describePostgres} by way of PgBouncer in transaction mode. */
export function describePgBouncer(name: string, body: (postgres: SharedPostgres) => void | Promise<void>): void {
  describePostgres(name, body, "pgbouncer");
}

/** The shared server itself, for those that the two above do not suit. Rejects, saying what to install. */
export async function sharedPostgres(kind: SharedKind = "newest"): Promise<SharedPostgres> {
  const answer = await ask(kind);
  if (answer.kind === "missing") throw new Error(answer.reason);
  return answer;
}

/** A new empty schema on the shared server, of a name that nobody else has. */
export async function newSchema(kind: SharedKind = "newest"): Promise<Schema> {
  const { url, directUrl } = await sharedPostgres(kind);
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await execute(directUrl, `create schema ${name}`);
  return {
    name,
    url: withSchema(url, name),
    directUrl: withSchema(directUrl, name),
    drop: async () => execute(directUrl, `drop schema if exists ${name} cascade`),
  };
}

function withSchema(url: string, name: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}schema=${name}`;
}

async function ask(kind: SharedKind): Promise<SharedAnswer> {
  const response = await fetch(`${inject("sharedServers")}/${kind}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as SharedAnswer;
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
