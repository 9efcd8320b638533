import type { Client } from "pg";
import { openClient } from "../src/store/postgres/open-client.ts";
import { parsePostgresUrl } from "../src/store/postgres/postgres-url.ts";
import { quoteIdentifier } from "../src/store/postgres/schema.ts";
import { startPostgres } from "../test/postgres/postgres-server.ts";

/** A schema of its own in a database, for as long as something is measured or tried there. */
export interface Place {
  /** Of the schema. May hold a password: never to be printed. */
  readonly storeUrl: string;
  readonly schema: string;
  /** A connection that is the caller's to end. */
  connect(): Promise<Client>;
  drop(): Promise<void>;
}

/** A server to make places on. */
export interface Host {
  readonly url: string;
  /** SIGKILL, and up again; absent where the server is somebody else's. */
  readonly restart?: (whileDown: () => Promise<void>) => Promise<void>;
  close(): Promise<void>;
}

/** The server of a URL; without one a PostgreSQL of our own, durable, in a temporary folder. */
export async function openHost(url: string | undefined): Promise<Host> {
  if (url !== undefined) return { url, close: async () => undefined };
  const server = await startPostgres({
    settings: { fsync: "on", full_page_writes: "on", shared_buffers: "256MB", max_wal_size: "4GB" },
  });
  return {
    url: server.url(),
    restart: async (whileDown) => {
      await server.kill();
      await whileDown();
      await server.start();
    },
    close: () => server.stop(),
  };
}

/** Makes a schema of that name, for a journal. */
export async function makePlace(hostUrl: string, schema: string): Promise<Place> {
  const target = parsePostgresUrl(hostUrl);
  const connect = async (): Promise<Client> => openClient(target);
  const execute = async (statement: string): Promise<void> => {
    const client = await connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await execute(`create schema ${quoteIdentifier(schema)}`);
  return {
    storeUrl: withSchema(hostUrl, schema),
    schema,
    connect,
    drop: () => execute(`drop schema if exists ${quoteIdentifier(schema)} cascade`),
  };
}

function withSchema(url: string, schema: string): string {
  const without = url.replace(/([?&])schema=[^&]*(?:&|$)/, "$1").replace(/[?&]$/, "");
  return `${without}${without.includes("?") ? "&" : "?"}schema=${schema}`;
}
