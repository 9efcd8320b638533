import { setTimeout as pause } from "node:timers/promises";
import { TapeError } from "../../errors.ts";
import { once } from "../google/client-options.ts";
import type { KeySet, Mutation, ReadIn, ReadOnly } from "./driver.ts";
import { resultOf, type Result } from "./result-rows.ts";
import { retryDelay } from "./retry-delay.ts";
import type { Session, SessionPool } from "./session-pool.ts";
import { isAborted, isPassing } from "../google/grpc-status.ts";
import { momentOf, type Moment, type ResultRow } from "./values.ts";

/** Deadlines of calls, milliseconds. */
export interface Deadlines {
  readonly read: number;
  readonly commit: number;
  /** How long aborted transactions are begun anew. */
  readonly retry: number;
}

/** A call of the service takes some milliseconds; one that takes seconds is better asked about. */
export const defaultDeadlines: Deadlines = Object.freeze({ read: 20_000, commit: 10_000, retry: 30_000 });

/** Pauses before a read is repeated that nobody answered. */
const repeatAfterMs = [20, 100, 400] as const;
const strong: ReadOnly = { strong: true, returnReadTimestamp: true };

/** What to read of a table. */
export interface TableRead {
  readonly table: string;
  readonly columns: readonly string[];
  readonly keySet: KeySet;
  /** Rows at most, in the order of the ranges and of their keys. Default: all. */
  readonly limit?: number;
}

/** Rows, and the moment that they are of. */
export interface Snapshot {
  readonly rows: readonly ResultRow[];
  readonly at: Moment;
}

/** The calls that a journal makes on its database, each with a deadline. They reject with what the library rejects with. */
export class Database {
  readonly #sessions: SessionPool;
  readonly #deadlines: Deadlines;

  constructor(sessions: SessionPool, deadlines: Deadlines) {
    this.#sessions = sessions;
    this.#deadlines = deadlines;
  }

  /** Rows of a table as of now, or of another moment; that one is waited for. One round trip. */
  async read(read: TableRead, at?: Moment): Promise<Snapshot> {
    return this.#repeating((session) => this.readIn(session, read, at));
  }

  /** {@link read} with this session. */
  async readIn(session: Session, read: TableRead, at?: Moment): Promise<Snapshot> {
    return snapshotOf(await this.#streamingRead(session, read, singleUse(at)), at);
  }

  /**
   * Commits in one round trip, without a look before it. Sent once, and again only if the service says that it was
   * aborted: what became of a commit whose answer was lost, only the rows can say.
   */
  async commit(mutations: readonly Mutation[]): Promise<void> {
    await this.#retrying(({ client, name }) =>
      client.commit(
        { session: name, mutations, singleUseTransaction: { readWrite: {} } },
        once(this.#deadlines.commit),
      ),
    );
  }

  async #streamingRead(
    { client, name }: Session,
    { table, columns, keySet, limit = 0 }: TableRead,
    transaction: ReadIn,
  ): Promise<Result> {
    const request = { session: name, table, columns, keySet, limit, transaction };
    return resultOf(client.streamingRead(request, once(this.#deadlines.read)), columns.length);
  }

  /** Reads again what nobody answered: that cannot do harm. */
  async #repeating<T>(work: (session: Session) => Promise<T>): Promise<T> {
    for (const pauseMs of repeatAfterMs) {
      try {
        return await this.#sessions.use(work);
      } catch (error) {
        if (!isPassing(error) && !isAborted(error)) throw error;
      }
      await pause(pauseMs);
    }
    return this.#sessions.use(work);
  }

  /**
   * Begins aborted transactions anew. Each try keeps its session, as the service wants it: by that it knows a transaction
   * that has waited, and lets it win.
   */
  async #retrying<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#sessions.use(async (session) => {
      const until = performance.now() + this.#deadlines.retry;
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await work(session);
        } catch (error) {
          if (!isAborted(error)) throw error;
          const pauseMs = retryDelay(error, attempt);
          if (performance.now() + pauseMs > until) throw tooBusy(error);
          await pause(pauseMs);
        }
      }
    });
  }
}

const singleUse = (at?: Moment): ReadIn => ({
  singleUse: { readOnly: at === undefined ? strong : { readTimestamp: at } },
});

const snapshotOf = ({ rows, transaction }: Result, at: Moment | undefined): Snapshot => ({
  rows,
  at: at ?? momentOf(transaction.readTimestamp ?? {}),
});

const tooBusy = (cause: unknown): TapeError =>
  new TapeError(
    "STORE_UNAVAILABLE",
    "Spanner aborted a transaction again and again: nothing was written; other writers are after the same rows, try again",
    { cause },
  );
