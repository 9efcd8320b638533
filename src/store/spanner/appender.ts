import { TapeError } from "../../errors.ts";
import type { Append, AppendOutcome } from "../store.ts";
import type { Database, TableRead } from "./database.ts";
import type { RowId, Seq } from "../../model/row.ts";
import { readDropped, type DroppedBodies } from "./dropped-bodies.ts";
import { headSeq, rowKey } from "./keys.ts";
import { commitGroups, emptiedInCommit, emptyingOf, mutationsOf, RowWrites, type ServiceLimits } from "./row-writes.ts";
import { isDefinite } from "../google/grpc-status.ts";
import { isRefusal, isRowConflict, spannerFailure } from "./spanner-failure.ts";
import { wireList, type ResultRow } from "./values.ts";

/** What became of an element, or why nothing did: that is certain. */
type Fate = AppendOutcome | { readonly kind: "failed"; readonly failure: TapeError };
type Fates = ReadonlyMap<Append, Fate>;

/**
 * Commits batches, as a rule in one round trip: a commit without a look before it, whose changes succeed only while every
 * row is at the version that its element expects. When one is not, none is written; a look tells which ones are not, and the
 * others are committed without them: elements share commits, never outcomes.
 */
export class Appender {
  readonly #database: Database;
  readonly #limits: ServiceLimits;
  readonly #onCommit: () => void;

  /** @param onCommit Called when something was committed. */
  constructor(database: Database, limits: ServiceLimits, onCommit: () => void) {
    this.#database = database;
    this.#limits = limits;
    this.#onCommit = onCommit;
  }

  /** See {@link Store.append}. */
  async append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const fates = new Map<Append, Fate>();
    const writes: RowWrites[] = [];
    const dropped = await this.#dropped(batch);
    for (const append of batch) {
      const one = new RowWrites(append, this.#limits, dropped.get(append));
      const error = one.refusal(this.#limits);
      if (error === undefined) writes.push(one);
      else fates.set(append, { kind: "refused", error });
    }
    const groups = commitGroups(writes, this.#limits);
    for (const found of await Promise.all(groups.map((group) => this.#commit(group)))) {
      for (const [append, fate] of found) fates.set(append, fate);
    }
    for (const [append, { inline }] of dropped) {
      if (fates.get(append)?.kind === "committed") await this.#emptyTheRest(append, inline);
    }
    return outcomesOf(batch.map((append) => fates.get(append) ?? lost));
  }

  /** Only appends that drop bodies need a look before their commit. Errors: STORE_UNAVAILABLE; nothing was written. */
  async #dropped(batch: readonly Append[]): Promise<ReadonlyMap<Append, DroppedBodies>> {
    const found = new Map<Append, DroppedBodies>();
    try {
      for (const append of batch) {
        const dropped = await readDropped(this.#database, append);
        if (dropped !== undefined) found.set(append, dropped);
      }
    } catch (error) {
      throw spannerFailure(error, "looking at bodies before a commit");
    }
    return found;
  }

  /** Bodies that one commit has no room for. If it fails they take room, and nothing else: nobody reads them any more. */
  async #emptyTheRest({ row }: Append, inline: readonly Seq[]): Promise<void> {
    const most = emptiedInCommit(this.#limits);
    for (let at = most; at < inline.length; at += most) {
      const mutations = emptyingOf(row, inline.slice(at, at + most));
      await this.#database.commit(mutations).catch(() => undefined);
    }
  }

  /** @param round How often these have been looked at. */
  async #commit(group: readonly RowWrites[], round = 0): Promise<Fates> {
    try {
      await this.#database.commit(mutationsOf(group));
    } catch (error) {
      const isDamaged = isRowConflict(error) && round >= mostRounds;
      if (isRowConflict(error) && !isDamaged) return this.#sortOut(group, round);
      // One that the service does not take, or that is damaged, is no reason for the others.
      if ((isDamaged || isRefusal(error)) && group.length > 1) return this.#inHalves(group, isDamaged ? round - 2 : 0);
      if (isDamaged) return new Map(group.map(({ append }) => [append, damaged(append.row, error)]));
      return same(group, fateOf(error));
    }
    this.#onCommit();
    return same(group, committed);
  }

  async #inHalves(group: readonly RowWrites[], round: number): Promise<Fates> {
    const middle = Math.ceil(group.length / 2);
    const halves = [group.slice(0, middle), group.slice(middle)];
    const found = await Promise.all(halves.map((half) => this.#commit(half, round)));
    return new Map(found.flatMap((fates) => [...fates]));
  }

  /** Nothing of a commit was written, because some row was not as expected: answers for those, and commits the others. */
  async #sortOut(group: readonly RowWrites[], round: number): Promise<Fates> {
    let conflicts: Fates;
    try {
      const { rows } = await this.#database.read(versionsOf(group));
      conflicts = conflictsAmong(group, rows);
    } catch (error) {
      return same(group, { kind: "failed", failure: spannerFailure(error, "looking at rows after a conflict") });
    }
    const left = group.filter(({ append }) => !conflicts.has(append));
    if (left.length === 0) return conflicts;
    // Only a look that answered for nobody, again and again, means that something is wrong.
    const others = await this.#commit(left, conflicts.size > 0 ? 0 : round + 1);
    return new Map([...conflicts, ...others]);
  }
}

/** Rows that are as expected whenever they are looked at, and never when they are committed. */
const mostRounds = 8;

const committed: Fate = { kind: "committed", position: 0 };
const lost: Fate = { kind: "unknown", cause: undefined };

const same = (group: readonly RowWrites[], fate: Fate): Fates => new Map(group.map(({ append }) => [append, fate]));

/** Where a reader finds them: whoever is told of a conflict reads the row, and must not find what it found before. */
const versionsOf = (group: readonly RowWrites[]): TableRead => ({
  table: "tape_entries",
  columns: ["row_id", "at_ms"],
  keySet: { keys: group.map(({ append }) => wireList([...rowKey(append.row), headSeq])) },
});

function conflictsAmong(group: readonly RowWrites[], rows: readonly ResultRow[]): Fates {
  const versions = new Map(rows.map((row) => [row.text(0), row.number(1)]));
  const fates = new Map<Append, Fate>();
  for (const { append } of group) {
    const version = versions.get(append.row) ?? 0;
    if (version !== append.expect) fates.set(append, { kind: "conflict", version });
  }
  return fates;
}

function fateOf(error: unknown): Fate {
  const isCertain = error instanceof TapeError || isDefinite(error);
  const failure = spannerFailure(error, "a commit");
  return isCertain ? { kind: "failed", failure } : { kind: "unknown", cause: failure };
}

const damaged = (row: RowId, cause: unknown): Fate => ({
  kind: "refused",
  error: new TapeError(
    "STORE_CORRUPT",
    `row ${row} cannot be written: it, its versions and its entries do not fit together; nothing was written, restore the database from a backup`,
    { cause },
  ),
});

/** Rejects where nothing at all was written; otherwise what was not may be asked about. */
function outcomesOf(fates: readonly Fate[]): readonly AppendOutcome[] {
  const failed = fates.find((fate) => fate.kind === "failed");
  if (failed !== undefined && fates.every(({ kind }) => kind !== "committed" && kind !== "unknown")) {
    throw failed.failure;
  }
  return fates.map((fate) => (fate.kind === "failed" ? { kind: "unknown", cause: fate.failure } : fate));
}
