import { randomBytes } from "node:crypto";
import type { Database } from "./database.ts";

/** Where the journal of a demo is kept. */
export interface DemoStore {
  /** `null`: every story has a file of its own. */
  readonly storeUrl: string | null;
  /** The server to be killed, if any. */
  readonly database: Database | null;
  /** Starts what is down and removes what the demo has made. */
  close(): Promise<void>;
}

/** Options of {@link openDemoStore}. */
export interface DemoStoreOptions {
  readonly storeUrl: string | null;
  /** Kills Tape's processes only. */
  readonly spareDatabase: boolean;
  /** Leaves the journal behind. */
  readonly keep: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Gives the demo a place in the store of this URL: in PostgreSQL a schema of its own, unless the URL names one, and a
 * server that it may kill. Errors: CONFIG_INVALID when that server is not to be killed.
 */
export async function openDemoStore({ storeUrl, spareDatabase, keep, env }: DemoStoreOptions): Promise<DemoStore> {
  if (storeUrl === null || !/^(?:postgres|postgresql|alloydb):/i.test(storeUrl)) {
    return { storeUrl, database: null, close: () => Promise.resolve() };
  }
  const { parsePostgresUrl } = await import("../store/postgres/postgres-url.ts");
  const { storeUrlWith } = await import("./postgres/store-url.ts");
  const name = `tape_demo_${randomBytes(6).toString("hex")}`;
  parsePostgresUrl(storeUrl);
  const isOwn = !/[?&]schema=/.test(storeUrl);
  const demoUrl = storeUrlWith(storeUrl, { application_name: name, ...(isOwn ? { schema: name } : {}) });
  const { postgresDatabase } = await import("./postgres/postgres-database.ts");
  const database = spareDatabase ? null : await postgresDatabase(demoUrl, env);
  return {
    storeUrl: demoUrl,
    database,
    close: async () => {
      await database?.start();
      if (isOwn && !keep) await dropSchema(demoUrl);
    },
  };
}

async function dropSchema(url: string): Promise<void> {
  const { openClient } = await import("../store/postgres/open-client.ts");
  const { parsePostgresUrl } = await import("../store/postgres/postgres-url.ts");
  const { quoteIdentifier } = await import("../store/postgres/schema.ts");
  const target = parsePostgresUrl(url);
  const client = await openClient(target);
  try {
    await client.query(`drop schema if exists ${quoteIdentifier(target.schema)} cascade`);
  } finally {
    await client.end();
  }
}
