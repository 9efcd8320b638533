import { Client } from "pg";
import { pause, within } from "../../src/testing/test-store/material.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** A session beside the store's. */
export async function query(url: string, sql: string): Promise<readonly (readonly unknown[])[]> {
  const client = await openSession(url);
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: "array" })).rows;
  } finally {
    await client.end();
  }
}

/** A session that stays; end it. Parameters that only a store knows are left out. */
export async function openSession(url: string): Promise<Client> {
  const plain = new URL(url);
  plain.search = "";
  const client = new Client({ connectionString: plain.href });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Looks again and again until it is so. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, ms = 15_000): Promise<void> {
  const waiting = { isOver: false };
  const look = async (): Promise<void> => {
    while (!waiting.isOver && !(await isSo())) await pause(5);
  };
  await within(ms, what, look()).finally(() => {
    waiting.isOver = true;
  });
}

/** Ends all sessions of this application name, as an administrator does. */
export async function terminate(url: string, application: string): Promise<number> {
  const ended = await query(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${application}'`,
  );
  return ended.length;
}

/** A fast shutdown, and the server is back. */
export async function restart(server: PostgresServer): Promise<void> {
  if (server.pid !== undefined) process.kill(server.pid, "SIGINT");
  await until("the shutdown", () => server.pid === undefined);
  await server.start();
}

/** SIGKILL, and the server is back after recovery. */
export async function crash(server: PostgresServer): Promise<void> {
  await server.kill();
  await server.start();
}
