import { pollEveryMs } from "../change-poll.ts";
import { RemoteStore, type RemotePlace } from "../remote-store.ts";
import { noObserver, type StoreObserver } from "../store-observer.ts";
import type { Store, StoreCapabilities } from "../store.ts";
import { bigtableFailure } from "./bigtable-failure.ts";
import { parseBigtableUrl, type BigtableTarget } from "./bigtable-url.ts";
import { defaultLagMs, formatVersion } from "./journal.ts";
import { OpenJournal } from "./open-journal.ts";
import { Place } from "./place.ts";
import { inlineBodyBytes } from "./row-bodies.ts";
import { serviceLimits, type RowLimits } from "./row-changes.ts";
import { defaultDeadlines, type Deadlines } from "./table.ts";

/** What a store may be given besides its URL. */
export interface BigtableOptions {
  /** Default: nobody is told. */
  readonly observer?: StoreObserver;
  /** `host:port` of an emulator, where the URL names none. Default: the service itself. */
  readonly emulator?: string | undefined;
  /** The machine's clock, milliseconds since 1970. Default: that. */
  readonly now?: () => number;
  /** How often it is compared with the service's, milliseconds. Default 30 s: drift within that is small. */
  readonly clockEveryMs?: number;
  /** Default: those of the service. */
  readonly limits?: RowLimits;
  /** Default: {@link defaultDeadlines}. */
  readonly deadlines?: Deadlines;
}

/** Rows of a batch share one call before their commits; more rows would only wait for each other. */
const mostRows = 100;
const mostAppends = 8;

/** A journal in a Bigtable table, which several servers may share. Errors: STORE_URL_INVALID. */
export function bigtableStore(url: string, options: BigtableOptions = {}): Store {
  const target = parseBigtableUrl(url);
  return new RemoteStore(bigtablePlace({ ...target, emulator: target.emulator ?? options.emulator }, options));
}

const capabilities: Omit<StoreCapabilities, "feedDelayMs"> = {
  kind: "bigtable",
  formatVersion,
  durable: true,
  exclusive: false,
  atomicIndex: false,
  concurrentAppends: mostAppends,
  maxBatch: mostRows,
  inlineBodyBytes,
  wakeDelayMs: 3 * pollEveryMs,
};

function bigtablePlace(target: BigtableTarget, options: BigtableOptions): RemotePlace {
  const { observer = noObserver, now = Date.now, limits = serviceLimits, clockEveryMs = 30_000 } = options;
  const place = new Place(target, now, options.deadlines ?? defaultDeadlines);
  return {
    capabilities: Object.freeze({
      ...capabilities,
      feedDelayMs: (target.feedLagMs ?? defaultLagMs) + 3 * pollEveryMs,
    }),
    open: async (wake) => {
      const journal = await place.journal(observer);
      const opened = new OpenJournal({ place, journal, wake, observer, now, clockEveryMs, limits });
      await opened.start();
      return opened;
    },
    pending: () => place.pending(),
    migrate: () => place.make(),
    close: () => place.close(),
    failure: (error) => bigtableFailure(error, `working with ${place.name}`),
  };
}
