import { ChangePoll, pollEveryMs } from "../change-poll.ts";
import { RemoteStore, type RemoteJournal } from "../remote-store.ts";
import { noObserver, type StoreObserver } from "../store-observer.ts";
import type { MigrationStep, Store, StoreCapabilities } from "../store.ts";
import type { WakeBroadcast } from "../wake-broadcast.ts";
import { Appender } from "./appender.ts";
import { defaultDeadlines, type Database, type Deadlines } from "./database.ts";
import { notForProduction } from "./experimental-gate.ts";
import { FeedReader } from "./feed-reader.ts";
import { scanIndex } from "./index-reader.ts";
import { LatestCommits } from "./latest-commits.ts";
import { Place } from "./place.ts";
import { RowReader } from "./row-reader.ts";
import { inlineBodyBytes, serviceLimits, type ServiceLimits } from "./row-writes.ts";
import { spannerFailure } from "./spanner-failure.ts";
import { parseSpannerUrl } from "./spanner-url.ts";
import { Sweeper } from "./sweeper.ts";

/** What a store may be given besides its URL. */
export interface SpannerOptions {
  /** The store was asked for although it is experimental. Without it, it is refused. */
  readonly experimental: boolean;
  /** Default: nobody is told. */
  readonly observer?: StoreObserver;
  /** `host:port` of an emulator, where the URL names none. Default: the service itself. */
  readonly emulator?: string | undefined;
  /** Default: those of the service. */
  readonly limits?: ServiceLimits;
  /** Default: {@link defaultDeadlines}. */
  readonly deadlines?: Deadlines;
  /** Of the schema. Default: those of this version. */
  readonly steps?: readonly MigrationStep[];
}

/**
 * A journal in a Spanner database, which several servers may share. Errors: STORE_URL_INVALID; CONFIG_INVALID unless it was
 * asked for as what it is, an experiment.
 */
export function spannerStore(url: string, options: SpannerOptions): Store {
  const target = parseSpannerUrl(url);
  if (!options.experimental) throw notForProduction();
  const { deadlines = defaultDeadlines, limits = serviceLimits, observer = noObserver, steps } = options;
  const place = new Place({ ...target, emulator: target.emulator ?? options.emulator }, deadlines, steps);
  return new RemoteStore({
    capabilities: capabilitiesAt(place),
    open: async (wake) => openJournal(await place.open(), limits, wake, observer),
    pending: () => place.pending(),
    migrate: () => place.migrate(),
    close: () => place.close(),
    failure: (error) => spannerFailure(error, `working with ${place.name}`),
  });
}

const capabilitiesAt = ({ isEmulated, formatVersion }: Place): StoreCapabilities =>
  Object.freeze({
    kind: "spanner",
    formatVersion,
    durable: true,
    exclusive: false,
    atomicIndex: true,
    // An emulator runs one transaction at a time and aborts the others.
    concurrentAppends: isEmulated ? 1 : 4,
    maxBatch: 100,
    inlineBodyBytes,
    wakeDelayMs: 3 * pollEveryMs,
  });

function openJournal(
  database: Database,
  limits: ServiceLimits,
  wake: WakeBroadcast,
  observer: StoreObserver,
): RemoteJournal {
  const latest = new LatestCommits(database);
  const poll = new ChangePoll(wake, () => latest.haveCome());
  const appender = new Appender(database, limits, () => {
    wake.notify();
  });
  const rows = new RowReader(database);
  const feed = new FeedReader(database, observer);
  const sweeper = new Sweeper(database);
  return {
    append: (batch) => appender.append(batch),
    read: (row, options) => rows.read(row, options),
    scan: (index, options) => scanIndex(database, index, options),
    tail: (options) => feed.tail(options),
    sweep: (options) => sweeper.sweep(options),
    listen: () => {
      poll.start();
    },
    close: () => poll.stop(),
  };
}
