import { TapeError } from "../../errors.ts";
import { Lifecycle } from "../lifecycle.ts";
import { pendingMigrations } from "../sql/migration.ts";
import { noObserver, type StoreObserver } from "../store-observer.ts";
import type {
  Append,
  AppendOutcome,
  CallContext,
  FeedPage,
  MigrationReport,
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
import { UnderWay } from "../under-way.ts";
import { WakeBroadcast } from "../wake-broadcast.ts";
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

/** Appends in flight at most: batches of 64 rows on 4 connections are 1.5 times as fast as on one, with two cores. */
const mostAppends = 4;

/** A journal in a PostgreSQL database (13 or newer), which several servers may share. Errors: STORE_URL_INVALID. */
export function postgresStore(url: string, options: PostgresOptions = {}): Store {
  return new PostgresStore(parsePostgresUrl(url), options);
}

class PostgresStore implements Store {
  readonly capabilities: StoreCapabilities;
  readonly #schema: string;
  readonly #target: PostgresTarget;
  readonly #observer: StoreObserver;
  readonly #known: readonly MigrationStep[];
  readonly #connections: Connections;
  readonly #reader: Reader;
  readonly #appender: Appender;
  readonly #watch: HorizonWatch;
  readonly #lifecycle = new Lifecycle();
  readonly #wake = new WakeBroadcast();
  readonly #heldBack = new HeldBack(() => this.#wake.notify());
  readonly #work = new UnderWay();
  #channel: WakeChannel | undefined;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(target: PostgresTarget, options: PostgresOptions) {
    const { schema, poolSize, kind, listen, pgbouncer } = target;
    this.#target = target;
    this.#schema = schema;
    this.#observer = options.observer ?? noObserver;
    this.#known = options.migrations ?? migrations;
    this.capabilities = Object.freeze({
      kind,
      durable: true,
      exclusive: false,
      atomicIndex: true,
      concurrentAppends: Math.min(mostAppends, poolSize),
      maxBatch: 1000,
      inlineBodyBytes,
      wakeDelayMs: wakeDelayMs(listen && !pgbouncer),
    });
    const statements = statementsFor(schema);
    this.#connections = new Connections(target);
    this.#reader = new Reader(this.#connections, statements);
    this.#appender = new Appender(
      this.#connections,
      statements,
      () => this.#raiseBase(),
      () => this.#channel?.committed(),
    );
    this.#watch = new HorizonWatch({
      connections: this.#connections,
      observer: this.#observer,
      everyMs: options.horizonEveryMs ?? 10_000,
      stalledMs: options.horizonStalledMs ?? 30_000,
      now: () => performance.now(),
    });
  }

  async open(options: CallContext = {}): Promise<void> {
    this.#lifecycle.mayOpen(options.signal);
    this.#opening ??= this.#open();
    try {
      await this.#opening;
      this.#lifecycle.opened();
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async #open(): Promise<void> {
    const journal = await this.#look(async (session) => {
      await checkServer(session, this.#connections.place, this.#observer, { onlyLooks: false });
      await checkSchema(session, this.#connections, this.#known, this.#schema);
      if (await checkBase(session, this.#schema)) this.#hasMoved();
      const [line] = await session.query(
        `select value from ${quoteIdentifier(this.#schema)}.tape_meta where name = 'journal'`,
      );
      return String(line?.[0]);
    });
    const { listen, pgbouncer } = this.#target;
    this.#channel = new WakeChannel({
      connections: this.#connections,
      broadcast: this.#wake,
      channel: `tape_${journal}`,
      notifies: listen,
      listens: listen && !pgbouncer,
      lastPosition: () => this.#reader.lastPosition(),
    });
    this.#watch.start();
  }

  async migrate(options: { readonly dryRun: boolean }): Promise<MigrationReport> {
    this.#lifecycle.mayOpen();
    const { place } = this.#connections;
    const onlyLooks = options.dryRun;
    // What it has to warn of, opening says.
    const role = await this.#look((session) => checkServer(session, place, noObserver, { onlyLooks }));
    if (options.dryRun) {
      const applied = await this.#look((session) => appliedMigrations(session, this.#schema));
      const pending = pendingMigrations(this.#known, applied, journalIn(this.#connections, this.#schema));
      return { steps: pending.map((step) => runnableStep(step, this.#schema, role)), dryRun: true };
    }
    const steps = await this.#try(() => applyMigrations(this.#connections, this.#known, this.#schema));
    await this.open();
    return { steps, dryRun: false };
  }

  async append(batch: readonly Append[], options: CallContext = {}): Promise<readonly AppendOutcome[]> {
    this.#lifecycle.mayWork(options.signal);
    return this.#work.finish(this.#appender.append(batch));
  }

  async read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    this.#lifecycle.mayWork(options.signal);
    return this.#work.finish(this.#reader.read(row, options));
  }

  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    this.#lifecycle.mayWork(options.signal);
    return this.#work.finish(this.#reader.scan(index, options));
  }

  async tail(options: TailOptions): Promise<FeedPage> {
    this.#lifecycle.mayWork(options.signal);
    return this.#work.finish(this.#tail(options));
  }

  async #tail({ after, limit }: TailOptions): Promise<FeedPage> {
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

  wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    const hints = this.#wake.listen(options.signal);
    this.#channel?.listen();
    return hints;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#lifecycle.closed();
    this.#heldBack.reset();
    this.#wake.close();
    await this.#work.settled();
    await this.#opening?.catch(() => undefined);
    await this.#watch.stop();
    await this.#channel?.close();
    await this.#connections.close();
  }

  async #raiseBase(): Promise<void> {
    const raised = await this.#look((session) => raiseBase(session, this.#schema));
    if (raised) this.#hasMoved();
  }

  #hasMoved(): void {
    this.#observer.warn(
      `${journalIn(this.#connections, this.#schema)} has come from another database: its feed positions were raised, so that they go on rising`,
    );
  }

  #look<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#try(() => this.#connections.transaction(work));
  }

  async #try<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof TapeError
        ? error
        : postgresFailure(error, `opening ${journalIn(this.#connections, this.#schema)}`, "opening");
    }
  }
}
