import { isSessionGone } from "./spanner-failure.ts";
import { once } from "../google/client-options.ts";
import type { DataClient } from "./driver.ts";

/** A session, and the connection that it was made on: the service knows it best there. */
export interface Session {
  readonly client: DataClient;
  readonly name: string;
}

/** Connections to the service, and sessions on each. A session has one transaction at a time. */
export const poolSize: { readonly channels: number; readonly sessionsPerChannel: number } = Object.freeze({
  channels: 2,
  sessionsPerChannel: 8,
});

/** What a pool is made for, and whom it tells. */
export interface SessionPoolOptions {
  readonly clients: readonly DataClient[];
  /** The database's name at the service. */
  readonly database: string;
  readonly deadlineMs: number;
  /** What answers may not be the database that it was. Rejects if so. */
  readonly assure: (session: Session) => Promise<void>;
}

/**
 * Sessions for calls, one call each at a time. All are made at the start, so that no call waits for one to be made; those
 * that the service has ended (it does after an hour without use) are made anew when that is noticed.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #free: Session[] = [];
  readonly #waiting: ((session: Session) => void)[] = [];
  readonly #all = new Set<Session>();
  #isDoubted = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** Makes all sessions, and with them the connections. */
  async warm(): Promise<void> {
    await Promise.all(
      this.#options.clients.map(async (client) => {
        // The service may make fewer than it is asked for.
        for (let left = poolSize.sessionsPerChannel; left > 0;) {
          const made = await this.#make(client, left);
          left -= made.length;
          for (const session of made) this.#give(session);
        }
      }),
    );
  }

  /** A connection was lost: what answers from now on may be another server, with sessions of the same names. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /** Work with a session of its own. When the session turns out to have gone, the work is done again with another one. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    let session = await this.#take();
    try {
      try {
        if (this.#isDoubted) await this.#assure(session);
        return await work(session);
      } catch (error) {
        if (!isSessionGone(error)) throw error;
      }
      session = await this.#renew(session);
      return await work(session);
    } finally {
      this.#give(session);
    }
  }

  /** Ends the sessions; the service would keep them for an hour. */
  async close(): Promise<void> {
    const ended = [...this.#all].map(({ client, name }) =>
      // One that cannot be ended now ends by itself.
      client.deleteSession({ name }, once(this.#options.deadlineMs)).catch(() => undefined),
    );
    this.#all.clear();
    await Promise.all(ended);
  }

  async #renew(gone: Session): Promise<Session> {
    const [session] = await this.#make(gone.client, 1);
    if (session === undefined) throw new RangeError("the service made no session");
    this.#all.delete(gone);
    await this.#assure(session);
    return session;
  }

  async #assure(session: Session): Promise<void> {
    this.#isDoubted = true;
    await this.#options.assure(session);
    this.#isDoubted = false;
  }

  async #make(client: DataClient, sessionCount: number): Promise<readonly Session[]> {
    const { database, deadlineMs } = this.#options;
    const [answer] = await client.batchCreateSessions({ database, sessionCount }, once(deadlineMs));
    const made = (answer.session ?? []).map(({ name }) => ({ client, name: name ?? "" }));
    for (const session of made) this.#all.add(session);
    return made;
  }

  #take(): Promise<Session> {
    // The one used last: its caches are warm, here and there.
    const session = this.#free.pop();
    if (session !== undefined) return Promise.resolve(session);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(session: Session): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(session);
    else next(session);
  }
}
