import type { Seq } from "../../model/row.ts";
import { apartMilliseconds } from "../apart-milliseconds.ts";
import { lookBackMs } from "../feed-position.ts";
import type { SweepOptions, SweepStep } from "../store.ts";
import { announcedBy, isOf, type Announced } from "./announced-commit.ts";
import { readAnnounced } from "./announced-rows.ts";
import { chain, deleteRow, first, newest, withoutValues } from "./cells.ts";
import type { Keys } from "./keys.ts";
import { scanShards } from "./sharded-scan.ts";
import type { Table } from "./table.ts";

/** What a sweeper works with. */
export interface SweeperOptions {
  readonly table: Table;
  readonly keys: Keys;
  readonly now: () => number;
}

/** Feed keys younger than this are left alone: whatever was to become of their commits has, many times over. */
const feedAgeMs = 3_600_000;
const [feedStep, bodyStep, indexStep] = ["f", "o", "x"];
const keysOnly = chain(newest(), first(1), withoutValues);

/**
 * Removes what nobody reads any more: first feed keys of commits whose entries are all trimmed, then bodies kept apart that
 * no entry has; then it names all index keys. A step's cursor is a time in the feed, or the key of a body or of an index.
 */
export class Sweeper {
  readonly #options: SweeperOptions;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** See {@link Store.sweep}. */
  async sweep({ after = feedStep, limit }: SweepOptions): Promise<SweepStep> {
    const cursor = after.slice(1);
    if (after.startsWith(feedStep)) return this.#feed(Number(cursor), limit);
    return after.startsWith(bodyStep) ? this.#bodies(cursor, limit) : this.#index(cursor, limit);
  }

  /**
   * Places in the feed are counted within a millisecond, so its keys go together or not at all: when all their commits
   * happened and no entry of them is left; and only where what follows is counted from its own millisecond, not from theirs.
   */
  async #feed(fromMs: number, limit: number): Promise<SweepStep> {
    const { table, keys, now } = this.#options;
    const untilMs = now() - feedAgeMs;
    for (let size = limit; ; size *= 4) {
      const { rows, isCut } = await scanShards(table, keys, {
        range: (shard) => keys.feedRange(shard, fromMs - lookBackMs),
        filter: newest(),
        limit: size,
      });
      const announced = rows.flatMap((row) => announcedBy(keys, row));
      const lastMs = announced.at(-1)?.ms ?? fromMs;
      if (isCut && lastMs <= fromMs) continue;
      const whole = announced.filter(({ ms }) => ms < untilMs && (!isCut || ms < lastMs));
      const removed = await this.#remove(await this.#trimmed(settled(apartMilliseconds(whole, fromMs))));
      return { removed, next: isCut && lastMs < untilMs ? `${feedStep}${lastMs}` : bodyStep };
    }
  }

  /** Those of the milliseconds of which no entry is left. */
  async #trimmed(groups: readonly (readonly Announced[])[]): Promise<readonly string[]> {
    const { table, keys } = this.#options;
    const rows = await readAnnounced(table, keys, groups.flat());
    const isGone = (one: Announced): boolean => {
      const found = rows.get(one.row);
      if (found === undefined) return true;
      // An entry that cannot be read is one that is left.
      const isLeft = (seq: Seq): boolean => seq >= one.first && seq < one.first + one.count;
      return ![...found.entries.values()].some((cell) => isOf(cell, one)) && ![...found.damaged].some(isLeft);
    };
    return groups.filter((group) => group.every(isGone)).flatMap((group) => group.map(({ key }) => key));
  }

  /**
   * A body was written before its commit. Once the row has had an entry of that seq, the commit has happened or cannot
   * happen any more: the body is that entry's, or nobody's for ever. Before that it may be one whose commit is under way.
   */
  async #bodies(after: string, limit: number): Promise<SweepStep> {
    const { table, keys } = this.#options;
    const found = await table.read({ ranges: [keys.apartRange(after)], filter: keysOnly, limit });
    const bodies = found.map(({ key }) => ({ key, ...keys.parseApart(key) }));
    const rows = await readAnnounced(
      table,
      keys,
      bodies.map(({ row, seq }) => ({ row, first: seq, count: 1 })),
    );
    const orphans = bodies.filter(({ row, seq, hash }) => {
      const there = rows.get(row);
      if (there?.mark === undefined || there.mark.lastSeq < seq || there.damaged.has(seq)) return false;
      return seq < there.bodiesFrom || there.entries.get(seq)?.body?.apart !== hash;
    });
    const removed = await this.#remove(orphans.map(({ key }) => key));
    const last = found.at(-1);
    return { removed, next: found.length < limit || last === undefined ? indexStep : `${bodyStep}${last.key}` };
  }

  async #index(after: string, limit: number): Promise<SweepStep> {
    const { table, keys } = this.#options;
    const found = await table.read({ ranges: [keys.indexSpace(after)], filter: keysOnly, limit });
    const last = found.at(-1);
    return {
      removed: 0,
      keys: found.map(({ key }) => keys.parseItem(key)),
      next: found.length < limit || last === undefined ? undefined : `${indexStep}${last.key}`,
    };
  }

  async #remove(rowKeys: readonly string[]): Promise<number> {
    await this.#options.table.change(rowKeys.map((key) => ({ key, mutations: [deleteRow] })));
    return rowKeys.length;
  }
}

/** Those whose commits have all happened. */
const settled = (groups: readonly (readonly Announced[])[]): readonly (readonly Announced[])[] =>
  groups.filter((group) => group.every(({ isSettled }) => isSettled));
