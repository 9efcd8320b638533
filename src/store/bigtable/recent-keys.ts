import { chain, first, newest, withoutValues } from "./cells.ts";
import { shards, type Keys } from "./keys.ts";
import type { Table } from "./table.ts";

/** Keys looked at; where there are more, something is going on in any case. */
const mostKeys = 64;
const keysOnly = chain(newest(), first(1), withoutValues);

/** Tells commits of other servers by the feed keys that have come since the last look. */
export class RecentKeys {
  readonly #table: Table;
  readonly #keys: Keys;
  readonly #now: () => number;
  readonly #spanMs: number;
  #seen: ReadonlySet<string> | undefined;

  /** @param spanMs How far back keys may still come. */
  constructor(table: Table, keys: Keys, spanMs: number, now: () => number) {
    this.#table = table;
    this.#keys = keys;
    this.#spanMs = spanMs;
    this.#now = now;
  }

  /** Whether there are new ones. The first time nobody knows, and a hint too many does no harm. */
  async haveChanged(): Promise<boolean> {
    const fromMs = this.#now() - this.#spanMs;
    const ranges = shards.map((shard) => this.#keys.feedRange(shard, fromMs));
    const before = this.#seen;
    this.#seen = undefined;
    const rows = await this.#table.read({ ranges, filter: keysOnly, limit: mostKeys });
    this.#seen = new Set(rows.map(({ key }) => key));
    return rows.length === mostKeys || rows.some(({ key }) => before?.has(key) !== true);
  }
}
