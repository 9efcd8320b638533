import { TapeError } from "../../errors.ts";
import type { StoreObserver } from "../store-observer.ts";
import { bigtableFailure } from "./bigtable-failure.ts";
import type { JournalTimes } from "./journal.ts";
import type { Keys } from "./keys.ts";
import type { Table } from "./table.ts";

/** What a clock watch works with. */
export interface ServiceClockOptions {
  readonly table: Table;
  readonly keys: Keys;
  readonly times: JournalTimes;
  readonly now: () => number;
  readonly observer: StoreObserver;
  readonly everyMs: number;
}

const clockColumn = "clock";

/**
 * Compares this machine's clock with the service's. The feed is complete only while both are close, so a server whose
 * clock is not neither commits nor reads the feed.
 */
export class ServiceClock {
  readonly #options: ServiceClockOptions;
  #timer: NodeJS.Timeout | undefined;
  #wrong: TapeError | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ServiceClockOptions) {
    this.#options = options;
  }

  /** Errors: STORE_NOT_USABLE when the clock is too far off. */
  async check(): Promise<void> {
    const { table, keys, times, now, observer } = this.#options;
    const before = now();
    const begun = performance.now();
    const service = await table.serviceTime(keys.meta, clockColumn);
    const tripMs = performance.now() - begun;
    // The service looked at its clock at some moment of the round trip, so half of that may be no error at all.
    const offMs = before + tripMs / 2 - service;
    observer.gauge("bigtable_clock_offset_ms", "This machine's clock less the service's.", Math.round(offMs));
    const certainMs = Math.max(0, Math.abs(offMs) - tripMs / 2 - 1);
    this.#wrong = certainMs > times.skewMs ? tooFarOff(offMs, times) : undefined;
    if (this.#wrong !== undefined) throw this.#wrong;
  }

  /** Looks again and again, until {@link stop}. */
  watch(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.#look().finally(() => {
        this.#running = undefined;
      });
    }, this.#options.everyMs).unref();
  }

  /** For whoever announces a commit, or reads up to now. Errors: STORE_UNAVAILABLE while the clock is too far off. */
  mayBeReliedOn(): void {
    if (this.#wrong !== undefined) throw new TapeError("STORE_UNAVAILABLE", this.#wrong.message);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #look(): Promise<void> {
    const before = this.#wrong;
    try {
      await this.check();
    } catch (error) {
      const said = bigtableFailure(error, "comparing clocks");
      if (before === undefined && this.#wrong !== undefined) this.#options.observer.warn(said.message);
    }
  }
}

const tooFarOff = (offMs: number, { skewMs, lagMs }: JournalTimes): TapeError =>
  new TapeError(
    "STORE_NOT_USABLE",
    `this machine's clock is ${Math.abs(Math.round(offMs))} ms ${offMs < 0 ? "behind" : "ahead of"} Bigtable's; with a feed lag of ${lagMs} ms it may be ${skewMs} ms off: synchronise it (NTP), or make the journal with a longer feedLagMs`,
  );
