import { LRUCache } from "lru-cache";
import { isOf, type Announced } from "./announced-commit.ts";
import { readAnnounced } from "./announced-rows.ts";
import type { Keys } from "./keys.ts";
import { lastSeq } from "./row-reader.ts";
import type { Table } from "./table.ts";

/**
 * Announcements in the feed that cannot be read: their keys still name row and commit, and every entry says of which
 * commit it is, so that the row tells what was announced.
 */
export class DamagedAnnouncements {
  readonly #table: Table;
  readonly #keys: Keys;
  /** What was found once is final. */
  readonly #found = new LRUCache<string, Announced>({ max: 1000 });

  constructor(table: Table, keys: Keys) {
    this.#table = table;
    this.#keys = keys;
  }

  /** The same ones, with what their rows say instead of what is damaged; those of which no entry is there stay as they are. */
  async mended(announced: readonly Announced[]): Promise<readonly Announced[]> {
    const unknown = announced.filter(({ key, isDamaged }) => isDamaged && !this.#found.has(key));
    if (unknown.length > 0) await this.#find(unknown);
    return announced.map((one) => (one.isDamaged ? (this.#found.get(one.key) ?? one) : one));
  }

  async #find(damaged: readonly Announced[]): Promise<void> {
    const all = damaged.map(({ row }) => ({ row, first: 1, count: lastSeq }));
    const rows = await readAnnounced(this.#table, this.#keys, all);
    for (const one of damaged) {
      const cells = [...(rows.get(one.row)?.entries.values() ?? [])].filter((cell) => isOf(cell, one));
      const seqs = cells.map(({ entry }) => entry.seq);
      const [first, last] = [Math.min(...seqs), Math.max(...seqs)];
      if (seqs.length > 0)
        this.#found.set(one.key, { ...one, first, count: last - first + 1, isSettled: true, isDamaged: false });
    }
  }
}
