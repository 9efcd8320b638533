import { LRUCache } from "lru-cache";
import { TapeError } from "../../errors.ts";
import type { RowId } from "../../model/row.ts";
import type { Append, AppendOutcome } from "../store.ts";
import { isDefinite } from "../google/grpc-status.ts";
import { bigtableFailure } from "./bigtable-failure.ts";
import { column, deleteColumn, deleteRow, deleteUpTo, hasValue, newest, setCell, setCellAt } from "./cells.ts";
import type { FeedClock } from "./feed-clock.ts";
import type { JournalTimes } from "./journal.ts";
import { bodyColumn, keyColumn, markColumn, settledColumn, type Keys } from "./keys.ts";
import { encodeAnnouncement } from "./announcement.ts";
import { encodeMark, noMark, type RowMark } from "./row-mark.ts";
import type { RowMarks } from "./row-marks.ts";
import { markIn } from "./row-reader.ts";
import type { Prepared, RowChanges } from "./row-changes.ts";
import { readDropped, readTrimmed } from "./removals.ts";
import type { RowChange, Table } from "./table.ts";

/** What an appender works with, and whom it tells. */
export interface AppenderOptions {
  readonly table: Table;
  readonly keys: Keys;
  readonly marks: RowMarks;
  readonly clock: FeedClock;
  readonly times: JournalTimes;
  readonly rows: RowChanges;
  readonly now: () => number;
  /** Something was committed. */
  readonly onCommit: () => void;
  /** A row is older than it was said to be: this may not be the journal that it was. Rejects if so. */
  readonly onRegress: () => Promise<void>;
  /** What may be done when there is time; must not reject. */
  readonly later: (work: Promise<void>) => void;
}

/** One element of a batch on its way. */
interface Attempt extends Prepared {
  mark: RowMark;
  /** The time of its feed key; 0: it has nothing to announce. */
  feedMs: number;
  /** Feed keys of this element that are known to announce nothing. */
  readonly dead: string[];
  outcome: AppendOutcome | undefined;
  /** Why it was not written, where that is certain. */
  failure: TapeError | undefined;
}

/** A key that is late, or a row that is fenced off, again and again. */
const mostRounds = 12;

/**
 * Commits batches. Each element is one conditional mutation of its row, sent once. Before it goes one bulk call with what
 * must not be missing once it has happened: index keys, the feed key, bodies that are kept apart. What is in the way
 * afterwards is removed when there is time.
 */
export class Appender {
  readonly #options: AppenderOptions;
  /** The last time under which a commit was announced whose answer was lost: the next one must differ. */
  readonly #announced = new LRUCache<string, number>({ max: 10_000 });

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  /** See {@link Store.append}. */
  async append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const attempts = await this.#prepare(batch);
    let pending = attempts.filter(({ outcome }) => outcome === undefined);
    for (let round = 1; pending.length > 0; round += 1) {
      if (round > mostRounds) {
        for (const attempt of pending) attempt.failure = tooSlow();
        break;
      }
      await this.#round(pending, round);
      pending = pending.filter(({ outcome, failure }) => outcome === undefined && failure === undefined);
    }
    this.#options.later(this.#cleanUp(attempts));
    const failed = attempts.find(({ failure }) => failure !== undefined)?.failure;
    if (
      failed !== undefined &&
      attempts.every(({ outcome }) => outcome?.kind !== "committed" && outcome?.kind !== "unknown")
    ) {
      throw failed;
    }
    // What was not written for certain may be asked about all the same.
    return attempts.map(({ outcome, failure }) => outcome ?? { kind: "unknown", cause: failure });
  }

  async #prepare(batch: readonly Append[]): Promise<readonly Attempt[]> {
    const { table, keys, marks, rows } = this.#options;
    try {
      const unknown = batch.filter(({ row, expect }) => marks.at(row, expect) === undefined);
      const read = await this.#readMarks(unknown.map(({ row }) => row));
      return await Promise.all(
        batch.map(async (append): Promise<Attempt> => {
          const mark = marks.at(append.row, append.expect) ?? read.get(append.row) ?? noMark;
          const trimmed = await readTrimmed(table, keys, append, mark);
          const dropped = await readDropped(table, keys, append, mark);
          const attempt: Attempt = {
            append,
            mark,
            trimmed,
            dropped,
            entries: rows.entries(append),
            feedMs: Math.max(mark.feedMs, this.#announced.get(append.commitId) ?? 0),
            dead: [],
            outcome: undefined,
            failure: undefined,
          };
          const refusal = mark.version === append.expect ? rows.refusal(attempt) : undefined;
          if (refusal !== undefined) attempt.outcome = { kind: "refused", error: refusal };
          else if (mark.version !== append.expect) attempt.outcome = await this.#conflict(append, mark);
          return attempt;
        }),
      );
    } catch (error) {
      throw bigtableFailure(error, "reading rows before a commit");
    }
  }

  async #conflict({ expect }: Append, { version }: RowMark): Promise<AppendOutcome> {
    if (version < expect) await this.#options.onRegress();
    return { kind: "conflict", version };
  }

  async #readMarks(rows: readonly RowId[]): Promise<ReadonlyMap<RowId, RowMark>> {
    const { table, keys, marks } = this.#options;
    const byKey = new Map(rows.map((row) => [keys.row(row), row]));
    const found = new Map<RowId, RowMark>();
    for (const read of await table.read({ keys: [...byKey.keys()], filter: newest(column(markColumn)) })) {
      const row = byKey.get(read.key);
      const mark = row === undefined ? undefined : markIn(read, row);
      if (row !== undefined && mark !== undefined) found.set(row, mark);
    }
    for (const row of rows) marks.learn(row, found.get(row));
    return found;
  }

  /** Announces and commits; what was too slow or fenced off is left without an outcome. */
  async #round(pending: readonly Attempt[], round: number): Promise<void> {
    const { table, clock, times, now } = this.#options;
    const begun = { wall: now(), steady: performance.now() };
    // What was late may be so again: from the second round on its time lies ahead.
    const ahead = round === 1 ? 0 : begun.wall + times.windowMs * (round - 1);
    for (const attempt of pending) {
      if (attempt.append.entries.length > 0) {
        attempt.feedMs = clock.take(Math.max(attempt.feedMs, ahead), attempt.append.entries.length);
      }
    }
    try {
      await table.change(pending.flatMap((attempt) => this.#before(attempt, round === 1)));
    } catch (error) {
      const failure = bigtableFailure(error, "writing index and feed keys before a commit");
      for (const attempt of pending) attempt.failure = failure;
      return;
    }
    const elapsed = Math.max(now() - begun.wall, performance.now() - begun.steady);
    const isInTime = ({ feedMs, append }: Attempt): boolean =>
      append.entries.length === 0 || begun.wall + elapsed <= feedMs + times.windowMs;
    await Promise.all(
      pending.map(async (attempt) => {
        if (isInTime(attempt)) await this.#commit(attempt);
        else attempt.dead.push(this.#feedKey(attempt));
      }),
    );
  }

  #feedKey({ append: { row, commitId }, feedMs }: Attempt): string {
    return this.#options.keys.feed({ ms: feedMs, row, commitId });
  }

  /** What must be there once the commit is. */
  #before(attempt: Attempt, isFirst: boolean): readonly RowChange[] {
    const { keys } = this.#options;
    const { append, mark, trimmed, entries } = attempt;
    const changes: RowChange[] = [];
    if (append.entries.length > 0) {
      const announcement = encodeAnnouncement({
        version: mark.version,
        fence: mark.fence,
        first: append.entries[0]?.seq ?? 0,
        count: append.entries.length,
      });
      changes.push({ key: this.#feedKey(attempt), mutations: [setCell(keyColumn, announcement)] });
    }
    if (!isFirst) return changes;
    for (const { index, key } of append.index.add) {
      changes.push({ key: keys.index(index, key, append.row), mutations: [setCellAt(keyColumn, append.expect + 1)] });
    }
    for (const { ms, commitId } of trimmed.announcements) {
      changes.push({ key: keys.feed({ ms, row: append.row, commitId }), mutations: [setCell(settledColumn, "")] });
    }
    return [...changes, ...entries.flatMap(({ body }) => body.apart ?? [])];
  }

  async #commit(attempt: Attempt): Promise<void> {
    const { table, keys, marks, clock, rows, onCommit } = this.#options;
    const { append, mark, feedMs } = attempt;
    const { row, entries } = append;
    const { mutations, mark: next } = rows.commit(attempt, feedMs);
    const key = keys.row(row);
    const isThere = mark !== noMark;
    let matched: boolean;
    try {
      matched = await table.changeIf(
        isThere
          ? { key, predicate: hasValue(markColumn, encodeMark(mark)), matched: mutations }
          : { key, predicate: newest(column(markColumn)), unmatched: mutations },
      );
    } catch (error) {
      const failure = bigtableFailure(error, `committing to row ${row}`);
      marks.learn(row, undefined);
      if (isDefinite(error)) {
        attempt.failure = failure;
        return;
      }
      this.#announced.set(append.commitId, feedMs);
      attempt.outcome = { kind: "unknown", cause: failure };
      return;
    }
    if (matched === isThere) {
      marks.learn(row, next);
      if (entries.length > 0) clock.acknowledged(feedMs);
      attempt.outcome = { kind: "committed", position: 0 };
      onCommit();
      return;
    }
    if (entries.length > 0) attempt.dead.push(this.#feedKey(attempt));
    try {
      const found = (await this.#readMarks([row])).get(row) ?? noMark;
      // At the same version it was only fenced off: nothing was committed, so the same commit may go ahead.
      if (found.version === append.expect) attempt.mark = found;
      else attempt.outcome = await this.#conflict(append, found);
    } catch (error) {
      attempt.outcome = { kind: "unknown", cause: bigtableFailure(error, `reading row ${row} after a conflict`) };
    }
  }

  /** What is not needed (any more). If it fails, whoever scans finds out. */
  async #cleanUp(attempts: readonly Attempt[]): Promise<void> {
    const { table, keys, rows } = this.#options;
    const { deletionsInCommit: most } = rows;
    const changes: RowChange[] = [];
    for (const { append, trimmed, dropped, dead, outcome } of attempts) {
      for (const key of dead) changes.push({ key, mutations: [deleteRow] });
      if (outcome?.kind !== "committed") continue;
      const { row, expect, index } = append;
      for (const removed of index.remove) {
        if (index.add.some((added) => added.index === removed.index && added.key === removed.key)) continue;
        // Another writer may just have added the key again, for a later version: that one stays.
        const mutations = [deleteUpTo(keyColumn, expect + 1)];
        changes.push({ key: keys.index(removed.index, removed.key, row), mutations });
      }
      for (const { seq, hash } of [...trimmed.apart, ...dropped.apart]) {
        changes.push({ key: keys.apart(row, seq, hash), mutations: [deleteRow] });
      }
      for (let at = most; at < dropped.inline.length; at += most) {
        const mutations = dropped.inline.slice(at, at + most).map((seq) => deleteColumn(bodyColumn(seq)));
        changes.push({ key: keys.row(row), mutations });
      }
    }
    if (changes.length > 0) await table.change(changes).catch(() => undefined);
  }
}

const tooSlow = (): TapeError =>
  new TapeError(
    "STORE_UNAVAILABLE",
    "Bigtable answers too slowly for the feed's lag: nothing was written; try again, or give the journal a longer feedLagMs",
  );
