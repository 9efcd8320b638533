import { chain, first, newest, withoutValues } from "./cells.ts";
import { shards, type Keys } from "./keys.ts";
import type { Table } from "./table.ts";

/** How often other servers' commits are looked for while somebody listens, milliseconds. */
export const pollEveryMs = 100;
/** Keys looked at; where there are more, something is going on in any case. */
const mostKeys = 64;
const keysOnly = chain(newest(), first(1), withoutValues);

/** Notices commits of other servers by the feed keys that have come since the last look. */
export class ChangePoll {
  readonly #table: Table;
  readonly #keys: Keys;
  readonly #now: () => number;
  readonly #onChange: () => void;
  readonly #isHeard: () => boolean;
  readonly #spanMs: number;
  #seen: ReadonlySet<string> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  /** @param options.spanMs How far back keys may still come. */
  constructor(options: {
    readonly table: Table;
    readonly keys: Keys;
    readonly spanMs: number;
    readonly now: () => number;
    readonly onChange: () => void;
    readonly isHeard: () => boolean;
  }) {
    this.#table = options.table;
    this.#keys = options.keys;
    this.#spanMs = options.spanMs;
    this.#now = options.now;
    this.#onChange = options.onChange;
    this.#isHeard = options.isHeard;
  }

  /** Looks from now on, as long as somebody listens. */
  start(): void {
    if (this.#timer !== undefined || this.#looking !== undefined || this.#stopped) return;
    this.#seen = undefined;
    this.#begin();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #begin(): void {
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#stopped || !this.#isHeard()) return;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#isHeard()) this.#begin();
      }, pollEveryMs).unref();
    });
  }

  async #look(): Promise<void> {
    const fromMs = this.#now() - this.#spanMs;
    try {
      const ranges = shards.map((shard) => this.#keys.feedRange(shard, fromMs));
      const rows = await this.#table.read({ ranges, filter: keysOnly, limit: mostKeys });
      const before = this.#seen;
      this.#seen = new Set(rows.map(({ key }) => key));
      // The first look does not know what was there when the listening began: a hint too many does no harm.
      if (rows.length === mostKeys || rows.some(({ key }) => before?.has(key) !== true)) this.#onChange();
    } catch {
      // Whoever listens is told when the store is back; reading tells what is wrong with it.
      this.#seen = undefined;
    }
  }
}
