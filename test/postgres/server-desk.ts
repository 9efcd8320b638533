import { findPostgres, type PostgresInstallation, postgresMissing } from "./find-postgres.ts";
import { findPgBouncer, pgBouncerMissing, startPgBouncer } from "./pgbouncer.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";

/**
 * What a suite may ask for: the newest PostgreSQL, the oldest one of this machine, or the newest by way of PgBouncer in
 * transaction mode.
 */
export type SharedKind = "newest" | "oldest" | "pgbouncer";

/** What a shared server is, in words that travel between processes. */
export type SharedAnswer =
  | {
      readonly kind: "running";
      /** Major version of PostgreSQL. */
      readonly version: number;
      /** Superuser, default database. */
      readonly url: string;
      /** The same not by way of PgBouncer. */
      readonly directUrl: string;
    }
  | { readonly kind: "missing"; readonly reason: string };

/** The servers that all test files of one run share, each started when it is first asked for. */
export class ServerDesk {
  readonly #answers = new Map<string, Promise<SharedAnswer>>();
  readonly #servers = new Map<PostgresInstallation, Promise<PostgresServer>>();
  readonly #started: AsyncDisposable[] = [];
  #installations: readonly PostgresInstallation[] | undefined;

  async get(kind: string): Promise<SharedAnswer> {
    const known = this.#answers.get(kind);
    if (known !== undefined) return known;
    const answer = this.#answer(kind);
    this.#answers.set(kind, answer);
    return answer;
  }

  /** Ends them all. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#answers.values());
    // PgBouncer came last and goes first.
    for (const server of this.#started.toReversed()) await server[Symbol.asyncDispose]();
  }

  async #answer(kind: string): Promise<SharedAnswer> {
    this.#installations ??= findPostgres();
    const [newest, ...others] = this.#installations;
    const oldest = others.at(-1);
    if (newest === undefined) return { kind: "missing", reason: postgresMissing };
    switch (kind) {
      case "newest":
        return running(await this.#server(newest));
      case "oldest":
        if (oldest !== undefined) return running(await this.#server(oldest));
        return {
          kind: "missing",
          reason: `PostgreSQL ${newest.version} is the only version here; install another too`,
        };
      case "pgbouncer":
        if (findPgBouncer() === undefined) return { kind: "missing", reason: pgBouncerMissing };
        return this.#pgBouncer(await this.#server(newest));
      default:
        throw new Error(`there is no shared server "${kind}"`);
    }
  }

  async #server(installation: PostgresInstallation): Promise<PostgresServer> {
    const known = this.#servers.get(installation);
    if (known !== undefined) return known;
    const starting = startPostgres({ installation });
    this.#servers.set(installation, starting);
    const server = await starting;
    this.#started.push(server);
    return server;
  }

  async #pgBouncer(server: PostgresServer): Promise<SharedAnswer> {
    const pgBouncer = await startPgBouncer(server);
    this.#started.push(pgBouncer);
    return { kind: "running", version: server.version, url: pgBouncer.url(), directUrl: server.url() };
  }
}

function running(server: PostgresServer): SharedAnswer {
  return { kind: "running", version: server.version, url: server.url(), directUrl: server.url() };
}
