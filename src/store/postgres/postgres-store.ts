import { TapeError } from "../../errors.ts";
import { RemoteStore, type RemoteJournal, type RemotePlace } from "../remote-store.ts";
import { newestFormat, pendingMigrations } from "../sql/migration.ts";
import { noObserver, type StoreObserver } from "../store-observer.ts";
import type {
  Append,
  AppendOutcome,
  FeedPage,
  MigrationStep,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  Store,
  StoreCapabilities,
  TailOptions,
} from "../store.ts";
import type { WakeBroadcast } from "../wake-broadcast.ts";
import { Appender } from "./appender.ts";
import { Connections, type Session } from "./connections.ts";
import { checkBase, raiseBase } from "./feed-base.ts";
import { HeldBack } from "./held-back.ts";
import { HorizonWatch } from "./horizon-watch.ts";
import { appliedMigrations, applyMigrations, journalIn, runnableStep } from "./migrate.ts";
import { postgresFailure } from "./postgres-failure.ts";
import { parsePostgresUrl, type PostgresTarget } from "./postgres-url.ts";
import { Reader } from "./reader.ts";
import { inlineBodyBytes, migrations, quoteIdentifier } from "./schema.ts";
import { checkSchema, checkServer } from "./server-check.ts";
import { statementsFor } from "./statements.ts";
import { WakeChannel, wakeDelayMs } from "./wake-channel.ts";

/** What a store may be given besides its URL. */
export interface PostgresOptions {
  /** Default: nobody is told. */
  readonly observer?: StoreObserver;
  /** Default: those of this version. */
  readonly migrations?: readonly MigrationStep[];
  /** How often the feed is looked at for a transaction that holds it up. Default 10 s. */
  readonly horizonEveryMs?: number;
  /** How long it may do so unreported. Default 30 s. */
  readonly horizonStalledMs?: number;
}

/** Entries of damaged position that are named. */
const mostMisplaced = 20;

/** Appends in flight at most: batches of 64 rows on 4 connections are 1.5 times as fast as on one, with two cores. */
const mostAppends = 4;

/** A journal in a PostgreSQL database (13 or newer), which several servers may share. Errors: STORE_URL_INVALID. */
export function postgresStore(url: string, options: PostgresOptions = {}): Store {
  return new RemoteStore(new PostgresPlace(parsePostgresUrl(url), options));
}

/** A database, and what is particular to journals in it. */
class PostgresPlace implements RemotePlace {
  readonly capabilities: StoreCapabilities;
  readonly #schema: string;
  readonly #target: PostgresTarget;
  readonly #options: PostgresOptions;
  readonly #observer: StoreObserver;
  readonly #known: readonly MigrationStep[];
  readonly #connections: Connections;

  constructor(target: PostgresTarget, options: PostgresOptions) {
    const { schema, poolSize, kind, listen, pgbouncer } = target;
    this.#target = target;
    this.#schema = schema;
    this.#options = options;
    this.#observer = options.observer ?? noObserver;
    this.#known = options.migrations ?? migrations;
    this.capabilities = Object.freeze({
      kind,
      formatVersion: newestFormat(this.#known),
      durable: true,
      exclusive: false,
      atomicIndex: true,
      concurrentAppends: Math.min(mostAppends, poolSize),
      maxBatch: 1000,
      inlineBodyBytes,
      wakeDelayMs: wakeDelayMs(listen && !pgbouncer),
    });
    this.#connections = new Connections(target);
  }

  async open(wake: WakeBroadcast): Promise<RemoteJournal> {
    const { observer: _, ...options } = this.#options;
    const id = await this.#look(async (session) => {
      await checkServer(session, this.#connections.place, this.#observer, { onlyLooks: false });
      await checkSchema(session, this.#connections, this.#known, this.#schema);
      if (await checkBase(session, this.#schema)) this.#hasMoved();
      const [line] = await session.query(
        `select value from ${quoteIdentifier(this.#schema)}.tape_meta where name = 'journal'`,
      );
      return String(line?.[0]);
    });
    return new PostgresJournal({
      ...options,
      id,
      wake,
      target: this.#target,
      connections: this.#connections,
      observer: this.#observer,
      raiseBase: async () => {
        if (await this.#look((session) => raiseBase(session, this.#schema))) this.#hasMoved();
      },
    });
  }

  async pending(): Promise<readonly MigrationStep[]> {
    const role = await this.#checked(true);
    const applied = await this.#look((session) => appliedMigrations(session, this.#schema));
    const pending = pendingMigrations(this.#known, applied, journalIn(this.#connections, this.#schema));
    return pending.map((step) => runnableStep(step, this.#schema, role));
  }

  async migrate(): Promise<readonly MigrationStep[]> {
    await this.#checked(false);
    return applyMigrations(this.#connections, this.#known, this.#schema);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  failure(error: unknown): TapeError {
    return error instanceof TapeError
      ? error
      : postgresFailure(error, `opening ${journalIn(this.#connections, this.#schema)}`, "opening");
  }

  /** What there is to warn of, opening says. */
  #checked(onlyLooks: boolean): ReturnType<typeof checkServer> {
    return this.#look((session) => checkServer(session, this.#connections.place, noObserver, { onlyLooks }));
  }

  #hasMoved(): void {
    this.#observer.warn(
      `${journalIn(this.#connections, this.#schema)} has come from another database: its feed positions were raised, so that they go on rising`,
    );
  }

  async #look<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#connections.transaction(work);
    } catch (error) {
      throw this.failure(error);
    }
  }
}

/** What an open journal works with. */
interface JournalOptions extends Omit<PostgresOptions, "observer"> {
  readonly id: string;
  readonly target: PostgresTarget;
  readonly connections: Connections;
  readonly observer: StoreObserver;
  readonly wake: WakeBroadcast;
  readonly raiseBase: () => Promise<void>;
}

class PostgresJournal implements RemoteJournal {
  readonly #reader: Reader;
  readonly #appender: Appender;
  readonly #watch: HorizonWatch;
  readonly #heldBack: HeldBack;
  readonly #channel: WakeChannel;
  readonly #raiseBase: () => Promise<void>;

  constructor({ id, target, connections, observer, wake, raiseBase: raise, ...options }: JournalOptions) {
    const { schema, listen, pgbouncer } = target;
    const statements = statementsFor(schema);
    this.#raiseBase = raise;
    this.#heldBack = new HeldBack(() => wake.notify());
    this.#reader = new Reader(connections, statements);
    this.#channel = new WakeChannel({
      connections,
      broadcast: wake,
      channel: `tape_${id}`,
      notifies: listen,
      listens: listen && !pgbouncer,
      lastPosition: () => this.#reader.lastPosition(),
    });
    this.#appender = new Appender(connections, statements, raise, () => this.#channel.committed());
    this.#watch = new HorizonWatch({
      connections,
      observer,
      misplaced: () => this.#reader.misplaced(mostMisplaced),
      everyMs: options.horizonEveryMs ?? 10_000,
      stalledMs: options.horizonStalledMs ?? 30_000,
      now: () => performance.now(),
    });
    this.#watch.start();
  }

  append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    return this.#appender.append(batch);
  }

  read(row: RowId, options: ReadOptions): Promise<RowSlice | null> {
    return this.#reader.read(row, options);
  }

  scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return this.#reader.scan(index, options);
  }

  async tail({ after, limit }: TailOptions): Promise<FeedPage> {
    let look = await this.#reader.tail(after, limit);
    if (!look.isHome) {
      await this.#raiseBase();
      look = await this.#reader.tail(after, limit);
    }
    // No commit will tell of it when the transaction in the way has ended: it may be anybody's.
    if (look.isHeldBack) this.#heldBack.lookAgain();
    else this.#heldBack.reset();
    return { entries: look.entries, next: look.next };
  }

  listen(): void {
    this.#channel.listen();
  }

  async close(): Promise<void> {
    this.#heldBack.reset();
    await this.#watch.stop();
    await this.#channel.close();
  }
}
