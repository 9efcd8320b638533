import { setMaxListeners } from "node:events";
import { partitionOf } from "../codec/row-id.ts";
import { TapeError } from "../errors.ts";
import { defaultLimits, type Limits } from "../journal/limits.ts";
import type { Access } from "../model/access.ts";
import type { RowId } from "../model/row.ts";
import type { Tape } from "../model/tape.ts";
import type { Store } from "../store/store.ts";
import { winBusinessKey } from "./business-keys.ts";
import { systemClock, type Clock } from "./clock.ts";
import { engineTape } from "./engine-tape.ts";
import { randomIds, type IdSource } from "./id-source.ts";
import { Pipeline, type PipelineStats } from "./pipeline.ts";
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
  /** Whether to fire built-in timers and write down expired claims by itself. Default true. */
  readonly reactors?: boolean;
  /** Memory for rows at rest, in bytes. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Calls that may wait at once; more are OVERLOADED. Default 10,000. */
  readonly maxPending?: number;
}

/** Counters since the start, and sizes as of now. */
export interface EngineStats extends PipelineStats {
  /** Streams that wait for a commit. */
  readonly waitingStreams: number;
}

const defaultCacheBytes = 64 * 1024 * 1024;
const defaultMaxPending = 10_000;
/** Tenants whose bound Tape is kept. */
const keptTapes = 1000;

/** The journal engine over one store: rules, commit pipeline, streams and the server's own chores. */
export class Engine {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  readonly #limits: Limits;
  readonly #pipeline: Pipeline;
  readonly #wakeups: Wakeups;
  readonly #ticker: Ticker;
  readonly #reactors: boolean;
  readonly #closing = new AbortController();
  readonly #tapes = new Map<string, Tape>();
  #elsewhere: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: EngineOptions) {
    const { store, clock = systemClock, ids = randomIds() } = options;
    this.#store = store;
    this.#clock = clock;
    this.#ids = ids;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#reactors = options.reactors ?? true;
    this.#wakeups = new Wakeups(() => {
      this.#listenElsewhere();
    });
    this.#pipeline = new Pipeline({
      store,
      clock,
      ids,
      limits: this.#limits,
      cacheBytes: options.cacheBytes ?? defaultCacheBytes,
      maxPending: options.maxPending ?? defaultMaxPending,
      winBusinessKey: winBusinessKey(() => this.#pipeline),
      onCommit: (row: RowId, added) => {
        this.#wakeups.committed(row);
        if (added.length > 0) this.#ticker.noticed(added);
      },
    });
    // One listener a stream: thousands are no leak.
    setMaxListeners(0, this.#closing.signal);
    this.#ticker = new Ticker(this.#pipeline, store, clock);
  }

  /** Starts what the engine does by itself. Idempotent. */
  start(): void {
    if (this.#reactors) this.#ticker.start();
  }

  /** Tape for a caller with this access. Closing it does not close the engine. */
  tape(access: Access): Tape {
    const key = JSON.stringify([access.partition, access.tenant]);
    const known = this.#tapes.get(key);
    if (known !== undefined) return known;
    const tape = engineTape(
      {
        pipeline: this.#pipeline,
        store: this.#store,
        clock: this.#clock,
        ids: this.#ids,
        limits: this.#limits,
        wakeups: this.#wakeups,
        closing: this.#closing.signal,
      },
      access,
    );
    if (this.#tapes.size >= keptTapes) this.#tapes.clear();
    this.#tapes.set(key, tape);
    return tape;
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
    return { ...this.#pipeline.stats(), waitingStreams: this.#wakeups.waiters };
  }

  /** Refuses new calls, ends streams, waits for commits under way. Idempotent. The store stays open. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.#ticker.close();
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
