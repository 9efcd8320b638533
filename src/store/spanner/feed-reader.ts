import { LRUCache } from "lru-cache";
import type { RowId, Seq } from "../../model/row.ts";
import { lookBackMs, msOfPosition, placeIn } from "../feed-position.ts";
import type { StoreObserver } from "../store-observer.ts";
import { maxEntries, type FeedEntry, type FeedPage, type FeedPosition, type TailOptions } from "../store.ts";
import type { Database } from "./database.ts";
import { noSeq, readFeed, type FeedRow, type FeedRows } from "./feed-rows.ts";
import { seqRange } from "./keys.ts";
import { entryColumns, entryOf } from "./row-reader.ts";
import { momentAt, msOf, type Moment, type ResultRow } from "./values.ts";

/** An entry's place, and what it is of. */
interface Placed {
  readonly position: FeedPosition;
  readonly row: RowId;
  readonly seq: Seq;
}

/** Feed rows looked at, at least. */
const fewestRows = 128;

/**
 * Reads the feed: what commits added, by the times that the service gave them, then by row. A read as of a moment sees
 * every commit up to it, and no later commit gets an earlier time; so whatever lies in a millisecond that was over by then
 * is final, and so are the places counted within it. Trimmed entries keep their places.
 */
export class FeedReader {
  readonly #database: Database;
  readonly #observer: StoreObserver;
  readonly #told = new LRUCache<string, true>({ max: 1000 });

  /** @param observer Is told of what cannot be read, once. */
  constructor(database: Database, observer: StoreObserver) {
    this.#database = database;
    this.#observer = observer;
  }

  /** See {@link Store.tail}. */
  async tail({ after, limit }: TailOptions): Promise<FeedPage> {
    const from = momentAt(after === 0 ? 0 : Math.max(0, msOfPosition(after) - lookBackMs));
    // One commit of many rows lies in one millisecond, and is read as a whole even for a small page.
    for (let size = Math.max(limit, fewestRows); ; size *= 4) {
      const { rows: found, at, isCut } = await this.#readFinal(from, size);
      const lastMs = found.at(-1)?.ms ?? 0;
      const endMs = isCut ? lastMs : msOf(at);
      // A millisecond whose rows are not all here has no order yet.
      const final = found.filter(({ ms }) => ms < endMs);
      const placed = placesOf(await this.#mended(final, at), after, limit);
      if (placed.length > 0) return this.#page(placed, at);
      if (!isCut) return { entries: [], next: after };
    }
  }

  /** Feed rows as of a moment at which the millisecond of the last of them was over. */
  async #readFinal(from: Moment, limit: number): Promise<FeedRows> {
    const found = await readFeed(this.#database, from, limit);
    const lastMs = found.rows.at(-1)?.ms ?? 0;
    // The time of a read may stand still while nobody writes, so one that is asked for: the service waits until it is over.
    if (found.isCut || lastMs < msOf(found.at)) return found;
    return readFeed(this.#database, from, limit, momentAt(lastMs + 1));
  }

  /**
   * The same ones; one that cannot say how many entries it is about has as many as came with the first of them, since each
   * says of which commit it is.
   */
  async #mended(rows: readonly FeedRow[], at: Moment): Promise<readonly FeedRow[]> {
    return Promise.all(
      rows.map(async (one) => {
        if (!one.isDamaged) return one;
        this.#tell(one.row, one.committedAt);
        return one.count > 0 || one.first === noSeq ? one : { ...one, count: await this.#count(one, at) };
      }),
    );
  }

  async #count({ row, first }: FeedRow, at: Moment): Promise<number> {
    const keySet = { ranges: [seqRange(row, first, first + maxEntries - 1)] };
    const { rows } = await this.#database.read({ table: "tape_entries", columns: ["seq", "commit_id"], keySet }, at);
    const isOfCommit = (found: ResultRow, i: number): boolean =>
      found.number(0) === first + i && found.text(1) === rows[0]?.text(1);
    const end = rows.findIndex((found, i) => !isOfCommit(found, i));
    return end < 0 ? rows.length : end;
  }

  #tell(row: RowId, committedAt: string): void {
    const what = `the line of tape_feed about row ${row} at ${committedAt} is damaged; the feed gives what of that commit can be found; restore the database from a backup`;
    if (this.#told.has(what)) return;
    this.#told.set(what, true);
    this.#observer.warn(what);
  }

  async #page(placed: readonly Placed[], at: Moment): Promise<FeedPage> {
    const { rows } = await this.#database.read(
      { table: "tape_entries", columns: ["row_id", ...entryColumns], keySet: { ranges: rangesOf(placed) } },
      at,
    );
    const there = new Map(rows.map((row) => [`${row.number(1)} ${row.text(0)}`, row]));
    const entries = placed.flatMap(({ position, row, seq }): readonly FeedEntry[] => {
      const found = there.get(`${seq} ${row}`);
      if (found === undefined) return [];
      const { commitId: _commitId, ...entry } = entryOf(found, 1);
      return [{ ...entry, position, row }];
    });
    return { entries, next: placed.at(-1)?.position ?? 0 };
  }
}

/** The places behind the cursor, at most `limit`; counted from where the reading began, so that all give the same ones. */
function placesOf(found: readonly FeedRow[], after: FeedPosition, limit: number): readonly Placed[] {
  const placed: Placed[] = [];
  let last: FeedPosition = 0;
  for (const { ms, row, first, count } of found) {
    for (let seq = first; seq < first + count; seq += 1) {
      if (placed.length === limit) return placed;
      last = placeIn(ms, last);
      if (last > after) placed.push({ position: last, row, seq });
    }
  }
  return placed;
}

/** Seqs that follow each other in a row make one range. */
function rangesOf(placed: readonly Placed[]): readonly ReturnType<typeof seqRange>[] {
  const runs: { row: RowId; from: Seq; to: Seq }[] = [];
  for (const { row, seq } of placed) {
    const run = runs.at(-1);
    if (run !== undefined && run.row === row && run.to === seq - 1) run.to = seq;
    else runs.push({ row, from: seq, to: seq });
  }
  return runs.map(({ row, from, to }) => seqRange(row, from, to));
}
