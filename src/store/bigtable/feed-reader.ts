import { LRUCache } from "lru-cache";
import type { RowId, Seq } from "../../model/row.ts";
import { TimedFeedPage } from "../feed-page.ts";
import { lookBackMs, msOfPosition } from "../feed-position.ts";
import type { FeedEntry, FeedPage, TailOptions } from "../store.ts";
import { announcedBy, isOf, type Announced } from "./announced-commit.ts";
import { DamagedAnnouncements } from "./damaged-announcements.ts";
import { column, deleteRow, hasValue, newest, setCell } from "./cells.ts";
import type { EntryCell } from "./entry-cell.ts";
import type { JournalTimes } from "./journal.ts";
import { markColumn, settledColumn, type Keys } from "./keys.ts";
import { readAnnounced, type AnnouncedRow } from "./announced-rows.ts";
import { encodeMark, noMark, type RowMark } from "./row-mark.ts";
import { scanShards } from "./sharded-scan.ts";
import type { Table } from "./table.ts";

/** What a feed reader works with, and whom it tells. */
export interface FeedReaderOptions {
  readonly table: Table;
  readonly keys: Keys;
  readonly times: JournalTimes;
  readonly now: () => number;
  /** What is in the feed and cannot be given yet may be given after so many milliseconds. */
  readonly lookAgain: (afterMs: number) => void;
  /** What may be done when there is time; must not reject. */
  readonly later: (work: Promise<void>) => void;
  /** Told once of each thing that is damaged. */
  readonly warn: (message: string) => void;
}

type Fate = "committed" | "dead" | "open";

/** A writer that does not commit within this time after its feed key's is fenced off. */
const abandonedMs = 2000;
const soonMs = 20;
/** Damaged things remembered. */
const mostTold = 10_000;
/** Pages of the feed looked at before an empty one is given. */
const mostPages = 50;

/**
 * Reads the feed. Keys are written before the commits that they announce, and become final in the order of their times:
 * a reader stays behind now by the journal's lag, so that no key can still be written among those that it looks at; what
 * a key announces has happened when its row says so, and cannot happen any more when its row has passed that version. A
 * row that has not is waited for, and fenced off when its writer takes too long. So a position, once given, is final.
 *
 * What is damaged must not keep what follows from everybody: the feed goes on behind an entry that cannot be read, whose
 * place stays empty, and says so.
 */
export class FeedReader {
  readonly #options: FeedReaderOptions;
  /** Fates are final once they are known. */
  readonly #fates = new LRUCache<string, Exclude<Fate, "open">>({ max: 20_000 });
  readonly #damagedAnnouncements: DamagedAnnouncements;
  readonly #told = new LRUCache<string, true>({ max: mostTold });

  constructor(options: FeedReaderOptions) {
    this.#options = options;
    this.#damagedAnnouncements = new DamagedAnnouncements(options.table, options.keys);
  }

  /** See {@link Store.tail}. */
  async tail({ after, limit }: TailOptions): Promise<FeedPage> {
    const page = new TimedFeedPage({ after, limit });
    let fromMs = after === 0 ? 0 : msOfPosition(after) - lookBackMs;
    let size = limit;
    for (let pages = 0; pages < mostPages; pages += 1) {
      const { announced, isCut } = await this.#read(fromMs, size);
      const lastMs = announced.at(-1)?.ms ?? 0;
      // A millisecond whose keys are not all here has no order yet.
      const whole = isCut ? announced.filter(({ ms }) => ms < lastMs) : announced;
      if (isCut && whole.length === 0) {
        size *= 4;
        continue;
      }
      const isHeldUp = await this.#fill(page, whole);
      if (isHeldUp || page.isFull || !isCut || page.entries.length > 0) break;
      fromMs = lastMs;
    }
    return { entries: page.entries, next: page.next };
  }

  async #read(fromMs: number, limit: number): Promise<{ announced: readonly Announced[]; isCut: boolean }> {
    const { table, keys } = this.#options;
    const { rows, isCut } = await scanShards(table, keys, {
      range: (shard) => keys.feedRange(shard, fromMs),
      filter: newest(),
      limit,
    });
    const foreign = (key: string): void => this.#tell(`row ${key} of the table is no key of the feed; remove it`);
    const found = rows.flatMap((row) => announcedBy(keys, row, foreign));
    for (const { row, key, isDamaged } of found) {
      if (isDamaged) {
        this.#tell(
          `the announcement ${key} of a commit on row ${row} cannot be read; the feed gives what of that commit the row has; restore the table from a backup`,
        );
      }
    }
    return { announced: await this.#damagedAnnouncements.mended(found), isCut };
  }

  /** Puts what is final on the page, millisecond by millisecond; gives whether something is in the way. */
  async #fill(page: TimedFeedPage, announced: readonly Announced[]): Promise<boolean> {
    const { now, times, lookAgain } = this.#options;
    const horizonMs = now() - times.lagMs;
    const ripe = announced.filter(({ ms }) => ms <= horizonMs);
    const unripe = announced[ripe.length];
    if (unripe !== undefined) lookAgain(unripe.ms - horizonMs);
    for (const part of portions(ripe, page)) {
      const rows = await this.#rowsOf(
        part.flat().filter((one) => page.mayHold(one.ms, one.count) || !this.#fates.has(one.key)),
      );
      for (const group of part) {
        const fates = await Promise.all(group.map((one) => this.#fateOf(one, rows.get(one.row))));
        if (fates.includes("open")) {
          lookAgain(soonMs);
          return true;
        }
        for (const [i, one] of group.entries()) {
          if (fates[i] === "committed") page.add(one.ms, this.#entriesOf(one, rows.get(one.row)));
          if (page.isFull) return true;
        }
      }
    }
    return unripe !== undefined;
  }

  async #rowsOf(announced: readonly Announced[]): Promise<ReadonlyMap<RowId, AnnouncedRow>> {
    const { table, keys } = this.#options;
    return readAnnounced(table, keys, announced);
  }

  async #fateOf(one: Announced, found: AnnouncedRow | undefined): Promise<Fate> {
    const known = one.isSettled ? "committed" : this.#fates.get(one.key);
    if (known !== undefined) return known;
    if (one.isDamaged || found?.isMarkDamaged === true) return this.#fateOfDamaged(one, found);
    const fate = await this.#findOut(one, found);
    if (fate === "open") return fate;
    this.#fates.set(one.key, fate);
    if (fate === "dead") this.#options.later(this.#forget(one.key));
    return fate;
  }

  /**
   * Nothing can be committed on a row whose mark is damaged, as every commit is conditional on it; and what was announced
   * and is not there by now is not going to be. Nothing is taken away, and nothing remembered: it may be mended.
   */
  async #fateOfDamaged(one: Announced, found: AnnouncedRow | undefined): Promise<Fate> {
    if (cellsOf(one, found).some((cell) => isOf(cell, one)) || damagedOf(one, found).length > 0) return "committed";
    if (this.#options.now() < one.ms + abandonedMs) return "open";
    if (one.isDamaged) return "dead";
    return (await this.#isSettledNow(one)) ? "committed" : "dead";
  }

  async #findOut(one: Announced, found: AnnouncedRow | undefined): Promise<Fate> {
    const mark = found?.mark ?? noMark;
    if (found?.mark !== undefined || one.version === 0) {
      if (mark.version === one.version && mark.fence === one.fence) {
        return (await this.#fenceOff(one, found?.mark)) ? "dead" : "open";
      }
    }
    const cells = cellsOf(one, found);
    if (cells.some((cell) => isOf(cell, one))) return "committed";
    // Other entries have its seqs, or the row never got that far: it lost.
    if (cells.length > 0 || mark.lastSeq < one.first) return "dead";
    // They are there, and cannot say whose they are: whoever lost against them counts too, and has no entries to give.
    if (damagedOf(one, found).length > 0) return "committed";
    // They have been trimmed; whoever did that has said so on the feed key first, perhaps after we had read that.
    return (await this.#isSettledNow(one)) ? "committed" : "dead";
  }

  /** Makes a commit that has not come about impossible, if its writer has had its time. */
  async #fenceOff(one: Announced, mark: RowMark | undefined): Promise<boolean> {
    const { table, keys, now } = this.#options;
    if (now() < one.ms + abandonedMs) return false;
    const { fence, ...rest } = mark ?? noMark;
    const fenced = [setCell(markColumn, encodeMark({ ...rest, fence: fence + 1 }))];
    const key = keys.row(one.row);
    // Whatever comes of a lost answer, the next look at the row tells.
    if (mark === undefined) {
      return !(await table.changeIf({ key, predicate: newest(column(markColumn)), unmatched: fenced }));
    }
    return table.changeIf({ key, predicate: hasValue(markColumn, encodeMark(mark)), matched: fenced });
  }

  /** The entries of a commit in the feed's words; undefined: it has gone, or cannot be read. */
  #entriesOf(one: Announced, found: AnnouncedRow | undefined): (Omit<FeedEntry, "position"> | undefined)[] {
    for (const seq of damagedOf(one, found)) {
      this.#tell(
        `row ${one.row} cannot be read: its entry ${seq} is damaged; the feed goes on without it, and no reaction matches it; restore the table from a backup`,
      );
    }
    return Array.from({ length: one.count }, (_, i) => {
      const cell = found?.entries.get(one.first + i);
      if (cell === undefined || !isOf(cell, one)) return undefined;
      const { commitId: _commitId, position: _position, ...entry } = cell.entry;
      return { ...entry, row: one.row };
    });
  }

  #tell(what: string): void {
    if (this.#told.has(what)) return;
    this.#told.set(what, true);
    this.#options.warn(what);
  }

  async #isSettledNow(one: Announced): Promise<boolean> {
    const [row] = await this.#options.table.read({ keys: [one.key], filter: newest() });
    return row?.cells.has(settledColumn) === true;
  }

  async #forget(key: string): Promise<void> {
    await this.#options.table.change([{ key, mutations: [deleteRow] }]).catch(() => undefined);
  }
}

const cellsOf = ({ first, count }: Announced, found: AnnouncedRow | undefined): readonly EntryCell[] => {
  const cells: EntryCell[] = [];
  for (let seq: Seq = first; seq < first + count; seq += 1) {
    const cell = found?.entries.get(seq);
    if (cell !== undefined) cells.push(cell);
  }
  return cells;
};

/** The entries of a commit that are there and cannot be read. */
const damagedOf = ({ first, count }: Announced, found: AnnouncedRow | undefined): readonly Seq[] =>
  [...(found?.damaged ?? [])].filter((seq) => seq >= first && seq < first + count);

/** Millisecond after millisecond, some of them at a time: about as many entries as the page takes. */
function portions(
  announced: readonly Announced[],
  page: TimedFeedPage,
): readonly (readonly (readonly Announced[])[])[] {
  const found: Announced[][][] = [];
  let group: Announced[] = [];
  let entries = 0;
  for (const one of announced) {
    if (group[0]?.ms !== one.ms) {
      group = [];
      if (found.length === 0 || entries >= 256) {
        found.push([]);
        entries = 0;
      }
      found.at(-1)?.push(group);
    }
    group.push(one);
    if (page.mayHold(one.ms, one.count)) entries += one.count;
  }
  return found;
}
