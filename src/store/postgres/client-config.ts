import { userInfo } from "node:os";
import type { Duplex } from "node:stream";
import type { ClientConfig } from "pg";
import { TapeError } from "../../errors.ts";
import type { PostgresTarget } from "./postgres-url.ts";
import { tlsOptions } from "./tls-options.ts";

/** How to reach a server that wants more than host and password: a connector's socket, a token, a shortened user. */
interface ServerAccess {
  readonly stream?: (() => Duplex) | undefined;
  readonly password?: (() => Promise<string>) | undefined;
  readonly user?: string | undefined;
}

/** What {@link clientConfig} can be given besides the target. */
export interface ClientSeams {
  readonly access?: ServerAccess | undefined;
}

/**
 * Statements are prepared while tables may still be empty, and a plan kept from then would read them whole when they have
 * grown; every query of the store is one by index. Planning for each set of values costs more than most of the queries
 * take, and so does compiling them.
 */
const planning = "-c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan";

/** How much longer than the server this side waits: long enough for the server's own answer to arrive. */
const graceMs = 5000;
/** A server that vanished without a word is noticed this long after the last one, plus the system's retries. */
const keepAliveAfterMs = 10_000;

/**
 * What node-postgres gets: everything is said, so that the environment (PGHOST, PGSSLMODE) changes nothing but what the
 * URL leaves to it: user, password, database and, where no options are sent, PGOPTIONS.
 *
 * Statements end by the server's `statement_timeout`, asked for as a startup parameter. PgBouncer refuses that one and
 * every other it does not know (it takes `application_name`; `options` since 1.20, and then only what it knows), so
 * behind it `query_timeout` is what there is: the caller is answered in time, while the statement runs on. An
 * `alter role ... set statement_timeout` ends it there too. On direct connections `query_timeout` comes a little later,
 * for servers that have vanished.
 *
 * Errors: STORE_NOT_USABLE for a file that cannot be read, or without a user.
 */
export async function clientConfig(target: PostgresTarget, { access = {} }: ClientSeams = {}): Promise<ClientConfig> {
  const { alloydb, pgbouncer, statementTimeoutMs } = target;
  // Without these the connection would go to some other server, or show a password instead of a token.
  if (alloydb?.instance !== undefined && access.stream === undefined) throw withoutAccess("a connection");
  if (alloydb?.iam === true && access.password === undefined) throw withoutAccess("a token");
  return {
    host: target.host === "" ? "localhost" : target.host,
    port: target.port,
    user: access.user ?? target.user ?? (await defaultUser()),
    password: access.password ?? target.password,
    database: target.database,
    application_name: target.applicationName,
    client_encoding: "UTF8",
    connectionTimeoutMillis: target.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    sslnegotiation: "postgres",
    ssl: access.stream === undefined ? await tlsOptions(target) : false,
    ...(access.stream === undefined ? {} : { stream: access.stream }),
    options: pgbouncer ? target.options : `${planning} ${target.options}`.trimEnd(),
    ...(statementTimeoutMs === 0 || pgbouncer ? {} : { statement_timeout: statementTimeoutMs }),
    ...(statementTimeoutMs === 0 ? {} : { query_timeout: statementTimeoutMs + (pgbouncer ? 0 : graceMs) }),
  };
}

/** As libpq: PGUSER, else the user of the operating system (node-postgres alone asks the environment for it). */
async function defaultUser(): Promise<string> {
  const { Client } = await import("pg");
  const { user } = new Client({ ssl: false, sslnegotiation: "postgres" });
  if (user !== undefined) return user;
  try {
    return userInfo().username;
  } catch {
    throw new TapeError(
      "STORE_NOT_USABLE",
      "the store URL names no user, and this process has none; write user@ into it",
    );
  }
}

const withoutAccess = (what: string): TapeError =>
  new TapeError("INTERNAL", `${what} was to come from the AlloyDB connector, which was not given`);
