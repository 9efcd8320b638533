import { ChangePoll } from "../change-poll.ts";
import { isNotFound } from "../google/grpc-status.ts";
import { JournalGuard } from "../google/journal-guard.ts";
import type { RemoteJournal } from "../remote-store.ts";
import { Ripening } from "../ripening.ts";
import type { StoreObserver } from "../store-observer.ts";
import type {
  Append,
  AppendOutcome,
  FeedPage,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  SweepOptions,
  SweepStep,
  TailOptions,
} from "../store.ts";
import { UnderWay } from "../under-way.ts";
import type { WakeBroadcast } from "../wake-broadcast.ts";
import { Appender } from "./appender.ts";
import { FeedClock } from "./feed-clock.ts";
import { FeedReader } from "./feed-reader.ts";
import { scanIndex } from "./index-reader.ts";
import { readJournal, type Journal } from "./journal.ts";
import type { Keys } from "./keys.ts";
import type { Place } from "./place.ts";
import { RecentKeys } from "./recent-keys.ts";
import { RowChanges, type RowLimits } from "./row-changes.ts";
import { RowMarks } from "./row-marks.ts";
import { RowReader } from "./row-reader.ts";
import { ServiceClock } from "./service-clock.ts";
import { Sweeper } from "./sweeper.ts";
import type { Table } from "./table.ts";

/** What an open journal works with. */
export interface OpenJournalOptions {
  readonly place: Place;
  readonly journal: Journal;
  readonly wake: WakeBroadcast;
  readonly observer: StoreObserver;
  readonly now: () => number;
  readonly clockEveryMs: number;
  readonly limits: RowLimits;
}

/** A journal that was opened: what reads and writes it, and what watches over it. */
export class OpenJournal implements RemoteJournal {
  readonly #table: Table;
  readonly #keys: Keys;
  readonly #guard: JournalGuard;
  readonly #clock: ServiceClock;
  readonly #reader: RowReader;
  readonly #appender: Appender;
  readonly #feed: FeedReader;
  readonly #sweeper: Sweeper;
  readonly #poll: ChangePoll;
  readonly #later = new UnderWay();
  readonly #ripening: Ripening;

  constructor({ place, journal, wake, observer, now, clockEveryMs, limits }: OpenJournalOptions) {
    const { table, keys, name } = place;
    const { times } = journal;
    const marks = new RowMarks();
    const later = (work: Promise<void>): void => void this.#later.finish(work);
    this.#table = table;
    this.#keys = keys;
    this.#guard = new JournalGuard({ place: name, id: journal.id, read: () => identityIn(table, keys, name) });
    place.onLost = () => {
      this.#guard.doubt();
    };
    this.#clock = new ServiceClock({ table, keys, times, now, observer, everyMs: clockEveryMs });
    this.#reader = new RowReader(table, keys, marks);
    this.#appender = new Appender({
      table,
      keys,
      marks,
      times,
      now,
      clock: new FeedClock(now),
      rows: new RowChanges(keys, limits, observer),
      onCommit: () => {
        wake.notify();
      },
      onRegress: () => {
        this.#guard.doubt();
        return this.#guard.assure();
      },
      later,
    });
    this.#ripening = new Ripening(() => {
      wake.notify();
    });
    this.#feed = new FeedReader({
      table,
      keys,
      times,
      now,
      later,
      warn: (message) => {
        observer.warn(message);
      },
      lookAgain: (afterMs) => {
        this.#ripening.lookAgain(afterMs);
      },
    });
    this.#sweeper = new Sweeper({ table, keys, now });
    const recent = new RecentKeys(table, keys, 2 * times.lagMs, now);
    this.#poll = new ChangePoll(wake, () => recent.haveChanged());
  }

  /** Errors: STORE_NOT_USABLE when this machine's clock is too far off. */
  async start(): Promise<void> {
    await this.#clock.check();
    this.#clock.watch();
  }

  async append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    this.#clock.mayBeReliedOn();
    await this.#guard.assure();
    return this.#appender.append(batch);
  }

  async read(row: RowId, options: ReadOptions): Promise<RowSlice | null> {
    await this.#guard.assure();
    return this.#reader.read(row, options);
  }

  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    await this.#guard.assure();
    return scanIndex(this.#table, this.#keys, index, options);
  }

  async tail(options: TailOptions): Promise<FeedPage> {
    this.#clock.mayBeReliedOn();
    await this.#guard.assure();
    return this.#feed.tail(options);
  }

  async sweep(options: SweepOptions): Promise<SweepStep> {
    this.#clock.mayBeReliedOn();
    await this.#guard.assure();
    return this.#sweeper.sweep(options);
  }

  /** Somebody listens for commits of others. */
  listen(): void {
    this.#poll.start();
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#ripening.stop();
    await this.#poll.stop();
    await this.#clock.stop();
    await this.#later.settled();
  }
}

async function identityIn(table: Table, keys: Keys, place: string): Promise<string | undefined> {
  try {
    return (await readJournal(table, keys, place))?.id;
  } catch (error) {
    // With the table everything in it has gone.
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
