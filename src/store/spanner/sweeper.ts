import type { Seq } from "../../model/row.ts";
import { apartMilliseconds } from "../apart-milliseconds.ts";
import { lookBackMs } from "../feed-position.ts";
import type { SweepOptions, SweepStep } from "../store.ts";
import type { Database } from "./database.ts";
import { readFeed, type FeedRow } from "./feed-rows.ts";
import { orderShard, seqRange } from "./keys.ts";
import { momentAt, msOf, wireList } from "./values.ts";

/** Feed rows younger than this are left alone, milliseconds: readers are about to count them. */
const feedAgeMs = 3_600_000;

/**
 * Removes feed rows of commits whose entries are all gone: only together with all others of their millisecond, since places
 * are counted within it. A step's cursor is a time in the feed.
 */
export class Sweeper {
  readonly #database: Database;
  readonly #ageMs: number;

  /** @param ageMs Default: an hour. */
  constructor(database: Database, ageMs: number = feedAgeMs) {
    this.#database = database;
    this.#ageMs = ageMs;
  }

  /** See {@link Store.sweep}. */
  async sweep({ after = "0", limit }: SweepOptions): Promise<SweepStep> {
    const fromMs = Number(after);
    for (let size = limit; ; size *= 4) {
      const {
        rows: noted,
        at,
        isCut,
      } = await readFeed(this.#database, momentAt(Math.max(0, fromMs - lookBackMs)), size);
      const untilMs = msOf(at) - this.#ageMs;
      const lastMs = noted.at(-1)?.ms ?? fromMs;
      // A millisecond whose rows are not all here has no order yet.
      if (isCut && lastMs <= fromMs) continue;
      const whole = noted.filter(({ ms }) => ms < untilMs && (!isCut || ms < lastMs));
      const removed = await this.#remove(await this.#gone(apartMilliseconds(whole, fromMs)));
      return isCut && lastMs < untilMs ? { removed, next: String(lastMs) } : { removed };
    }
  }

  /** Those of the milliseconds of which no entry is left: what is trimmed never comes back. */
  async #gone(groups: readonly (readonly FeedRow[])[]): Promise<readonly FeedRow[]> {
    const all = groups.flat();
    if (all.length === 0) return [];
    const ranges = all.flatMap(({ row, first, count, isDamaged }) =>
      isDamaged ? [] : [seqRange(row, first, first + count - 1)],
    );
    const { rows } = await this.#database.read({
      table: "tape_entries",
      columns: ["row_id", "seq"],
      keySet: { ranges },
    });
    const there = new Map<string, Seq[]>();
    for (const found of rows) there.set(found.text(0), [...(there.get(found.text(0)) ?? []), found.number(1)]);
    const isGone = ({ row, first, count }: FeedRow): boolean =>
      !(there.get(row) ?? []).some((seq) => seq >= first && seq < first + count);
    // What a damaged one is about may be there.
    return groups.filter((group) => group.every((one) => !one.isDamaged && isGone(one))).flat();
  }

  async #remove(rows: readonly FeedRow[]): Promise<number> {
    if (rows.length === 0) return 0;
    const keys = rows.map(({ row, committedAt }) => wireList([orderShard(row), committedAt, row]));
    await this.#database.commit([{ delete: { table: "tape_feed", keySet: { keys } } }]);
    return rows.length;
  }
}
