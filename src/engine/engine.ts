import { setMaxListeners } from "node:events";
import { partitionOf, type Partition } from "../codec/row-id.ts";
import { TapeError } from "../errors.ts";
import { defaultLimits, type Limits } from "../journal/limits.ts";
import { localAccess, type Access } from "../model/access.ts";
import type { RowId } from "../model/row.ts";
import type { Tape } from "../model/tape.ts";
import type { Store } from "../store/store.ts";
import type { Background } from "./background.ts";
import { winBusinessKey } from "./business-keys.ts";
import { systemClock, type Clock } from "./clock.ts";
import { DamageReports, type DamageObserver } from "./damage-reports.ts";
import { engineTape, type EnginePorts } from "./engine-tape.ts";
import { FeedEnd } from "./feed-end.ts";
import { FeedLag } from "./feed-lag.ts";
import { randomIds, type IdSource } from "./id-source.ts";
import { countNeeds, type NeedCounts } from "./inspect/need-counts.ts";
import { defaultHousekeeping, Housekeeping, type HousekeepingStats, type HousekeepingTimes } from "./housekeeping.ts";
import { Pipeline, type PipelineStats } from "./pipeline.ts";
import { Retention, type RetentionBounds, type RetentionPass, type RetentionStats } from "./retention.ts";
import { Ticker } from "./ticker.ts";
import { Wakeups } from "./wakeups.ts";

/** Options of {@link Engine}. */
export interface EngineOptions {
  /** Opened, and its owner's to close. */
  readonly store: Store;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: the operating system's randomness. */
  readonly ids?: IdSource;
  /** Default: {@link defaultLimits}. */
  readonly limits?: Partial<Limits>;
  /**
   * Whether to work by itself: to fire built-in timers, write down expired claims, and match entries with reactions.
   * Default true.
   */
  readonly reactors?: boolean;
  /**
   * Whether to keep the journal tidy: to take away what crashes left in the indexes and in the store, and to bring indexes of
   * older journals up to date; or when to. Default false.
   */
  readonly housekeeping?: boolean | HousekeepingTimes;
  /** How long runs that are over are kept. Default: for ever. */
  readonly retention?: RetentionBounds;
  /** Told after every pass of retention. */
  readonly onRetention?: (pass: RetentionPass) => void;
  /** Told of stored data that cannot be read, the same damage once an hour. Default: only callers who ask for it are. */
  readonly onDamage?: DamageObserver;
  /** What matches entries with reactions: `reactor` of `src/reactor`. Default: nothing does, here. */
  readonly reactor?: (ports: EnginePorts) => Background;
  /** Memory for rows at rest, in bytes. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Calls that may wait at once; more are OVERLOADED. Default 10,000. */
  readonly maxPending?: number;
  /** Of the server or the library, for DescribeStore. Default: empty. */
  readonly version?: string;
}

/** Counters since the start, and sizes as of now. */
export interface EngineStats extends PipelineStats, RetentionStats, HousekeepingStats {
  /** Streams that wait for a commit. */
  readonly waitingStreams: number;
  /** Tasks that this server made of matching entries. */
  readonly tasksMade: number;
  /** Entries on which a reaction's predicate could not be evaluated. */
  readonly predicatesFailed: number;
}

/** What operators should know of, measured now. */
export interface OperatorFigures {
  readonly needs: NeedCounts;
  /** How long the oldest commit of this engine that the feed does not give yet has been there, in milliseconds. */
  readonly feedLagMs: number;
}

const defaultCacheBytes = 64 * 1024 * 1024;
const defaultMaxPending = 10_000;
/** Partitions that operators' figures are made of. */
const mostWatched = 1000;

/** The journal engine over one store: rules, commit pipeline, streams and the server's own chores. */
export class Engine {
  readonly #store: Store;
  readonly #ports: EnginePorts;
  readonly #pipeline: Pipeline;
  readonly #wakeups: Wakeups;
  readonly #background: readonly Background[];
  readonly #feedLag: FeedLag;
  /** Of those who called; the first one is that of callers without a credential. */
  readonly #partitions = new Set<Partition>([partitionOf("")]);
  readonly #retention: Retention;
  readonly #housekeeping: Housekeeping;
  readonly #closing = new AbortController();
  readonly #tapes = new WeakMap<Access, Tape>();
  #elsewhere: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: EngineOptions) {
    const { store, clock = systemClock, ids = randomIds() } = options;
    this.#store = store;
    const limits: Limits = { ...defaultLimits, ...options.limits };
    const damage = new DamageReports(options.onDamage ?? ((): void => undefined), () => clock.now());
    this.#feedLag = new FeedLag(store);
    this.#wakeups = new Wakeups(() => {
      this.#listenElsewhere();
    });
    this.#pipeline = new Pipeline({
      store,
      clock,
      ids,
      limits,
      cacheBytes: options.cacheBytes ?? defaultCacheBytes,
      maxPending: options.maxPending ?? defaultMaxPending,
      winBusinessKey: winBusinessKey(() => this.#pipeline),
      onCommit: (row: RowId, added, newestMs) => {
        this.#wakeups.committed(row, newestMs > 0);
        // 0 when the head alone was written, which the feed never shows.
        if (newestMs > 0) this.#feedLag.committed(newestMs);
        if (added.length > 0) for (const work of this.#background) work.noticed(added);
      },
      onFailure: damage.failed,
    });
    // One listener a stream: thousands are no leak.
    setMaxListeners(0, this.#closing.signal);
    this.#ports = {
      pipeline: this.#pipeline,
      store,
      clock,
      ids,
      limits,
      wakeups: this.#wakeups,
      feedEnd: new FeedEnd(store),
      closing: this.#closing.signal,
      version: options.version ?? "",
    };
    const { reactors = true, reactor } = options;
    this.#background = reactors
      ? [new Ticker(this.#pipeline, store, clock), ...(reactor === undefined ? [] : [reactor(this.#ports)])]
      : [];
    const { housekeeping = false } = options;
    const times = housekeeping === true ? defaultHousekeeping : housekeeping === false ? null : housekeeping;
    const owner = options.retention === undefined && times === null ? "" : ids.id();
    this.#housekeeping = new Housekeeping({
      pipeline: this.#pipeline,
      store,
      clock,
      owner,
      times,
      onFailure: damage.failed,
    });
    this.#retention = new Retention({
      pipeline: this.#pipeline,
      store,
      clock,
      owner,
      bounds: options.retention ?? {},
      onPass: options.onRetention,
    });
  }

  /** Starts what the engine does by itself. Idempotent. */
  start(): void {
    for (const work of this.#background) work.start();
    this.#retention.start();
    this.#housekeeping.start();
  }

  /** Counts what is in this partition among the figures for operators, also before anybody calls. */
  watch(partition: string): void {
    if (this.#partitions.size < mostWatched) this.#partitions.add(partitionOf(partition));
  }

  /** Tape for a caller with this access; kept as long as the access is. Closing it does not close the engine. */
  tape(access: Access): Tape {
    const known = this.#tapes.get(access);
    if (known !== undefined) return known;
    const tape = engineTape(this.#ports, access);
    this.#tapes.set(access, tape);
    this.watch(access.partition);
    return tape;
  }

  /**
   * What operators should know of: how much needs a human, over the tenants that this engine has been called for, and
   * how far the feed is behind. Some small reads, more when much needs a human. Errors: STORE_UNAVAILABLE.
   */
  async figures(): Promise<OperatorFigures> {
    const ports = Array.from(this.#partitions, (partition) => ({ ...this.#ports, access: localAccess, partition }));
    const needs = await countNeeds(ports);
    return { needs, feedLagMs: await this.#feedLag.measure(this.#ports.clock.now()) };
  }

  /** A round trip to the store, in milliseconds. Errors: STORE_UNAVAILABLE, SHUTTING_DOWN. */
  async ping(signal?: AbortSignal): Promise<number> {
    if (this.#closing.signal.aborted) throw new TapeError("SHUTTING_DOWN", "Tape is shutting down");
    const start = performance.now();
    await this.#store.scan(`${partitionOf("")}/ping`, { limit: 1, signal });
    return performance.now() - start;
  }

  /** Counters and sizes. */
  stats(): EngineStats {
    const { tasksMade = 0, predicatesFailed = 0 } =
      this.#background.find((work) => work.counts !== undefined)?.counts ?? {};
    return {
      ...this.#pipeline.stats(),
      ...this.#retention.stats,
      ...this.#housekeeping.stats,
      waitingStreams: this.#wakeups.waiters,
      tasksMade,
      predicatesFailed,
    };
  }

  /** Refuses new calls, ends streams, waits for commits under way. Idempotent. The store stays open. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#background.map((work) => work.close()));
    await Promise.all([this.#retention.close(), this.#housekeeping.close()]);
    await this.#pipeline.close();
    await this.#elsewhere;
  }

  /** While anybody waits, hints of commits by other processes are passed on. */
  #listenElsewhere(): void {
    if (this.#elsewhere !== null || this.#store.capabilities.exclusive || this.#closing.signal.aborted) return;
    const enough = new AbortController();
    const stop = (): void => {
      enough.abort();
    };
    this.#closing.signal.addEventListener("abort", stop, { once: true });
    const listening = this.#passHintsOn(enough.signal).finally(() => {
      this.#closing.signal.removeEventListener("abort", stop);
      enough.abort();
    });
    this.#elsewhere = listening;
  }

  async #passHintsOn(signal: AbortSignal): Promise<void> {
    const hints = this.#store.wake({ signal })[Symbol.asyncIterator]();
    try {
      while ((await hints.next()).done !== true && this.#wakeups.waiters > 0) this.#wakeups.all();
    } catch {
      // Without hints nobody is told of other processes' commits until somebody waits anew and listening starts again.
    }
    // In the same turn as the look at the waiters: whoever waits from now on starts a listener of its own.
    this.#elsewhere = null;
    await hints.return?.();
  }
}
