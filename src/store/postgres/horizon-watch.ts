import type { StoreObserver } from "../store-observer.ts";
import type { Connections, Line } from "./connections.ts";
import { endPreparedText, endSessionText, preparedText, sessionText } from "./transaction-holders.ts";

/**
 * The oldest transaction that is still writing, anywhere on the server: the feed shows nothing younger. It is in the way
 * once a younger one has ended.
 */
const oldestText = `
select pg_snapshot_xmin(s)::text, pg_snapshot_xmin(s) < pg_snapshot_xmax(s) from pg_current_snapshot() s`;

const holderText = `
select ${sessionText}, ${endSessionText}
from pg_stat_activity where backend_xid::text::numeric = $1::numeric % 4294967296
union all
select ${preparedText}, ${endPreparedText}
from pg_prepared_xacts where transaction::text::numeric = $1::numeric % 4294967296`;

/** How the watch is set. */
export interface HorizonWatchOptions {
  readonly connections: Pick<Connections, "read">;
  readonly observer: StoreObserver;
  /** Entries that the feed cannot give because their positions are damaged, in words. */
  readonly misplaced: () => Promise<readonly string[]>;
  /** Pause between two looks. */
  readonly everyMs: number;
  /** A transaction that has been the oldest for so long is reported. */
  readonly stalledMs: number;
  /** Milliseconds that only rise. */
  readonly now: () => number;
}

/**
 * Notices a transaction that holds up the feed, and says whose it is: once, and once more when it is over. Entries that
 * the feed cannot give are named once.
 */
export class HorizonWatch {
  readonly #options: HorizonWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #oldest = "";
  #since = 0;
  #reported = false;
  readonly #told = new Set<string>();

  constructor(options: HorizonWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#show(0);
    this.#timer ??= setInterval(() => {
      this.#looking = this.look().catch(() => undefined);
    }, this.#options.everyMs).unref();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Errors: as {@link Connections.read}. */
  async look(): Promise<void> {
    const { connections, observer, stalledMs, now } = this.#options;
    const [line] = await connections.read({ name: "tape_oldest", text: oldestText }, [], "looking at the feed");
    const [oldest, isHeld] = [String(line?.[0]), line?.[1] === true];
    if (!isHeld || oldest !== this.#oldest) {
      if (this.#reported) observer.warn("the feed goes on: the transaction that held it up has ended");
      this.#oldest = isHeld ? oldest : "";
      this.#since = now();
      this.#reported = false;
    }
    const heldMs = isHeld ? now() - this.#since : 0;
    this.#show(heldMs < stalledMs ? 0 : heldMs / 1000);
    await this.#tellMisplaced();
    if (heldMs < stalledMs || this.#reported) return;
    this.#reported = true;
    observer.warn(await this.#complaint(oldest, heldMs));
  }

  async #tellMisplaced(): Promise<void> {
    for (const entry of await this.#options.misplaced()) {
      if (this.#told.has(entry)) continue;
      this.#told.add(entry);
      this.#options.observer.warn(
        `the position of ${entry} is damaged; the feed goes on without it; restore the database from a backup`,
      );
    }
  }

  #show(seconds: number): void {
    const help = "How long the oldest writing transaction on the server has kept the feed from going on.";
    this.#options.observer.gauge("feed_held_seconds", help, seconds);
  }

  async #complaint(oldest: string, heldMs: number): Promise<string> {
    const [holder] = await this.#holder(oldest);
    const since = `the feed has stood still for ${Math.round(heldMs / 1000)} s: events are recorded, but not delivered until transaction ${oldest} ends`;
    return holder === undefined
      ? `${since}; whose it is does not show here: have an administrator look into pg_stat_activity and pg_prepared_xacts`
      : `${since}; it is ${String(holder[0])}; end it there, or run: ${String(holder[1])}`;
  }

  #holder(oldest: string): Promise<readonly Line[]> {
    return this.#options.connections.read(
      { name: "tape_holder", text: holderText },
      [oldest],
      "looking for the oldest transaction",
    );
  }
}
