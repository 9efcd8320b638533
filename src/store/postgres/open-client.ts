import type { Client, ClientConfig, PoolConfig } from "pg";
import { clientConfig, type ClientSeams } from "./client-config.ts";
import { postgresFailure } from "./postgres-failure.ts";
import type { PostgresTarget } from "./postgres-url.ts";

/**
 * Connects. With `sslmode=prefer`, a server that has no TLS is spoken to without. A connection that is lost later makes
 * its queries reject, and throws nowhere else.
 * Errors: STORE_UNAVAILABLE, STORE_NOT_USABLE.
 */
export const openClient = async (target: PostgresTarget, seams: ClientSeams = {}): Promise<Client> =>
  (await open(target, seams)).client;

/**
 * What a pool gets. With `sslmode=prefer` this connects once, and what that found holds for the whole pool: otherwise a
 * server whose TLS fails for a moment would be given a password without it.
 * Errors: as {@link openClient}.
 */
export async function poolConfig(target: PostgresTarget, seams: ClientSeams = {}): Promise<PoolConfig> {
  const max = target.poolSize;
  if (target.sslmode !== "prefer" || seams.access?.stream !== undefined) {
    return { ...(await clientConfig(target, seams)), max };
  }
  const { client, config } = await open(target, seams);
  await client.end();
  return { ...config, max };
}

/** Where a target leads, for messages: no password, no parameters. */
export function placeOf(target: PostgresTarget): string {
  const { host, port, user, database, alloydb } = target;
  const server = host.startsWith("/")
    ? `${host}/.s.PGSQL.${port}`
    : `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const named = database ?? user;
  const place = alloydb?.instance ?? server;
  return `${named === undefined ? "the database" : `database ${JSON.stringify(named)}`} at ${place}`;
}

interface Opened {
  readonly client: Client;
  readonly config: ClientConfig;
}

async function open(target: PostgresTarget, seams: ClientSeams): Promise<Opened> {
  const config = await clientConfig(target, seams);
  try {
    return { client: await connect(config), config };
  } catch (error) {
    const plain = { ...config, ssl: false };
    if (target.sslmode !== "prefer" || !hasNoTls(error)) throw failure(target, error);
    return {
      client: await connect(plain).catch((again: unknown) => Promise.reject(failure(target, again))),
      config: plain,
    };
  }
}

async function connect(config: ClientConfig): Promise<Client> {
  const { Client } = await import("pg");
  const client = new Client(config);
  // Without a listener, losing an idle connection would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    // `end` says goodbye and waits: for ever, when nobody answers.
    client.connection.stream.destroy();
    throw error;
  }
}

const hasNoTls = (error: unknown): boolean =>
  error instanceof Error && error.message === "The server does not support SSL connections";

const failure = (target: PostgresTarget, error: unknown): unknown =>
  postgresFailure(error, `connecting to ${placeOf(target)}`, "opening");
