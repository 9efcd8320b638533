import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import type { TapeError } from "../../errors.ts";
import type { AlloydbAccess } from "./alloydb/alloydb-access.ts";
import { openClient, placeOf, poolConfig } from "./open-client.ts";
import { isDefinite, isSerialization, postgresFailure } from "./postgres-failure.ts";
import type { PostgresTarget } from "./postgres-url.ts";
import { gatedClient, ReconnectGate } from "./reconnect-gate.ts";
import type { Statement } from "./statements.ts";

/** A line of a result, by column. */
export type Line = readonly unknown[];

/** A connection that belongs to one piece of work. */
export interface Session {
  /** See `pg_backend_pid()`; a pooler's own number behind one. */
  readonly processId: number | undefined;
  /** Runs one statement. Errors: the driver's own. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Line[]>;
}

/** Statements that lost against another transaction are run this often; a deadlock alone takes the server a second. */
const mostTries = 10;
/** For what is done once and may wait for others: migrations. */
const patientMs = 600_000;

/**
 * The pool, and what is done about its failures: what a lost connection does to a statement is told apart from what the
 * server refused, and a server that cannot be reached is not asked by every caller anew.
 */
export class Connections {
  /** For messages: database and server, no password. */
  readonly place: string;
  readonly #target: PostgresTarget;
  #access: AlloydbAccess | undefined;
  #pool: Promise<Pool> | undefined;
  #hasWorked = false;
  readonly #gate = new ReconnectGate();

  constructor(target: PostgresTarget) {
    this.#target = target;
    this.place = placeOf(target);
  }

  /** A connection of one's own, outside the pool: to be ended by the caller. Errors: as {@link openClient}. */
  async dedicated(): ReturnType<typeof openClient> {
    // Not while the pool knows better: this is asked for again and again.
    const { refusal } = this.#gate;
    if (refusal !== undefined) throw this.#notConnected(refusal.error);
    return openClient(this.#target, { access: await this.#reach() });
  }

  /**
   * Runs a statement that only reads. A connection that broke since it was used last is replaced once.
   * Errors: STORE_UNAVAILABLE, STORE_CORRUPT, STORE_NOT_USABLE, INTERNAL.
   */
  async read(statement: Statement, values: readonly unknown[], doing: string): Promise<readonly Line[]> {
    for (let tries = 1; ; tries += 1) {
      const session = await this.#acquire();
      try {
        return await session.run(statement, values);
      } catch (error) {
        const again = isSerialization(error) ? tries < mostTries : !isDefinite(error) && tries === 1;
        if (!again) throw postgresFailure(error, doing);
      }
    }
  }

  /**
   * Runs a statement that writes, alone in its transaction. Resolves to its lines; or to `lost` when nobody knows whether
   * it took effect; rejects when it did not. What lost against another transaction did not, and is run again.
   * Errors: STORE_UNAVAILABLE, STORE_CORRUPT, STORE_NOT_USABLE, INTERNAL.
   */
  async write(
    statement: Statement,
    values: readonly unknown[],
    doing: string,
  ): Promise<
    { readonly lines: readonly Line[]; readonly processId: number | undefined } | { readonly lost: TapeError }
  > {
    for (let tries = 1; ; tries += 1) {
      const session = await this.#acquire();
      try {
        return { lines: await session.run(statement, values), processId: session.processId };
      } catch (error) {
        if (!isDefinite(error)) return { lost: postgresFailure(error, doing) };
        if (!isSerialization(error) || tries === mostTries) throw postgresFailure(error, doing);
        await sleep(tries * tries);
      }
    }
  }

  /** Runs work in one transaction. Errors: the driver's own, from the work; STORE_UNAVAILABLE without a connection. */
  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.session(async (session) => {
      await session.query("begin isolation level read committed");
      try {
        const result = await work(session);
        await session.query("commit");
        return result;
      } catch (error) {
        await session.query("rollback").catch(() => undefined);
        throw error;
      }
    });
  }

  /** Runs work on one connection. Errors: the driver's own, from the work; STORE_UNAVAILABLE without a connection. */
  async session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const acquired = await this.#acquire();
    let broken = true;
    try {
      const result = await work({
        processId: acquired.processId,
        query: async (text, values) =>
          acquired.query({ text, values: [...(values ?? [])], rowMode: "array", query_timeout: patientMs }),
      });
      broken = false;
      return result;
    } finally {
      acquired.release(broken);
    }
  }

  /** Waits for what is under way. Idempotent. */
  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.end();
    await this.#access?.close();
  }

  async #acquire(): Promise<Acquired> {
    const opening = (this.#pool ??= this.#open());
    let client: PoolClient;
    try {
      const pool = await opening.catch((error: unknown) => {
        if (this.#pool === opening) this.#pool = undefined;
        throw error;
      });
      client = await pool.connect();
    } catch (error) {
      throw this.#notConnected(error);
    }
    this.#hasWorked = true;
    return new Acquired(client, !this.#target.pgbouncer);
  }

  async #open(): Promise<Pool> {
    const config = await this.#gate.pass(async () => poolConfig(this.#target, { access: await this.#reach() }));
    const { Client, Pool } = await import("pg");
    const pool = new Pool({ ...config, Client: gatedClient(Client, this.#gate) });
    // A connection that is lost while nobody uses it: the pool has thrown it away already.
    pool.on("error", () => undefined);
    return pool;
  }

  async #reach(): Promise<AlloydbAccess | undefined> {
    const { alloydb, user, host } = this.#target;
    if (alloydb === undefined) return undefined;
    const { alloydbAccess } = await import("./alloydb/alloydb-access.ts");
    return (this.#access ??= await alloydbAccess({ ...alloydb, user, host }));
  }

  /** Nothing was sent. */
  #notConnected(error: unknown): TapeError {
    return postgresFailure(error, `connecting to ${this.place}`, this.#hasWorked ? "working" : "opening");
  }
}

/** A connection out of the pool. */
class Acquired {
  readonly #client: PoolClient;
  readonly #prepares: boolean;

  constructor(client: PoolClient, prepares: boolean) {
    this.#client = client;
    this.#prepares = prepares;
  }

  /** See {@link Session.processId}. */
  get processId(): number | undefined {
    const id: unknown = (this.#client as { readonly processID?: unknown }).processID;
    return typeof id === "number" ? id : undefined;
  }

  /** Runs one statement and gives the connection back, unless it cannot be trusted any more. */
  async run({ name, text }: Statement, values: readonly unknown[]): Promise<readonly Line[]> {
    let broken = true;
    try {
      const lines = await this.query({
        ...(this.#prepares ? { name } : {}),
        text,
        values: [...values],
        rowMode: "array",
      });
      broken = false;
      return lines;
    } catch (error) {
      broken = !isDefinite(error);
      throw error;
    } finally {
      this.release(broken);
    }
  }

  async query(config: {
    readonly name?: string;
    readonly text: string;
    readonly values: unknown[];
    readonly rowMode: "array";
    readonly query_timeout?: number;
  }): Promise<readonly Line[]> {
    const result = await this.#client.query<unknown[]>(config);
    return result.rows;
  }

  release(broken: boolean): void {
    this.#client.release(broken);
  }
}
