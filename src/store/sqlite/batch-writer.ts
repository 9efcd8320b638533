import { toSqlText } from "../sql/sql-text.ts";
import type { Append, Entry, RowId } from "../store.ts";
import { TapeError } from "../../errors.ts";
import type { SqliteDatabase } from "./open-sqlite.ts";
import { inlineBodyBytes } from "./schema.ts";
import { isPositionTaken, sqliteFailure } from "./sqlite-failure.ts";
import { prepareWrites, type WriteStatements } from "./write-statements.ts";

/**
 * What became of each element: the position of its last entry (0: none) when committed, -1 - version when it conflicted,
 * NaN when it is not known.
 */
export interface BatchFate {
  readonly outcomes: Float64Array<ArrayBuffer>;
  /** Why some are not known. */
  readonly cause?: unknown;
}

/** Row ids never change, so an append to a row seen before needs no search by name: 60 instead of 49 k appends/s. */
const rememberedRows = 16_384;

/**
 * Commits batches, each in one transaction: conditional on the version, elements that conflict are skipped. The same
 * code runs in the writer thread and, for a database in memory, in the main thread.
 */
export class BatchWriter {
  readonly #database: SqliteDatabase;
  readonly #path: string;
  readonly #sql: WriteStatements;
  readonly #rowIds = new Map<RowId, number>();

  constructor(database: SqliteDatabase, path: string) {
    this.#database = database;
    this.#path = path;
    this.#sql = prepareWrites(database);
  }

  /** Errors: STORE_UNAVAILABLE, STORE_CORRUPT, INTERNAL; whenever it throws, nothing of the batch was written. */
  apply(batch: readonly Append[]): BatchFate {
    let outcomes: Float64Array<ArrayBuffer>;
    try {
      this.#sql.begin.run();
      outcomes = this.#write(batch);
      if (outcomes.every((outcome) => outcome < 0)) {
        this.#rollBack();
        return { outcomes };
      }
    } catch (error) {
      this.#rollBack();
      throw sqliteFailure(error, `writing to ${this.#path}`);
    }
    try {
      this.#sql.commit.run();
      return { outcomes };
    } catch (error) {
      this.#rollBack();
      return this.#settle(batch, outcomes, error);
    }
  }

  /** Leaves the database as a restart expects it. */
  close(): void {
    try {
      // Others may still be reading: the checkpoint is theirs then, and waiting for them would only delay this one.
      this.#database.exec("pragma busy_timeout = 100; pragma wal_checkpoint(truncate)");
    } finally {
      this.#database.close();
    }
  }

  #write(batch: readonly Append[]): Float64Array<ArrayBuffer> {
    const outcomes = new Float64Array(batch.length);
    const first = this.#lastPosition();
    let position = first;
    batch.forEach((append, i) => {
      const rowId = this.#advance(append);
      if (rowId === undefined) {
        // A damaged version may be negative; whoever reads the row is told.
        outcomes[i] = -1 - Math.max(0, Number(this.#sql.findRow.get(append.row)?.["version"] ?? 0));
        return;
      }
      for (const entry of append.entries) {
        position = this.#insertEntry(position + 1, rowId, append.commitId, entry);
        outcomes[i] = position;
      }
      this.#changeIndex(append);
      if (append.trimBelow !== undefined && append.trimBelow > 1) {
        this.#sql.trimBodies.run(rowId, append.trimBelow);
        this.#sql.trimEntries.run(rowId, append.trimBelow);
      }
      if (append.dropBodiesBelow !== undefined && append.dropBodiesBelow > 1) {
        this.#sql.trimBodies.run(rowId, append.dropBodiesBelow);
        this.#sql.dropBodies.run(rowId, append.dropBodiesBelow);
      }
    });
    if (position > first) this.#sql.setLastPosition.run(position);
    return outcomes;
  }

  /** The position given last, by whichever process: read under the write lock, never given again. */
  #lastPosition(): number {
    const last = this.#sql.lastPosition.get()?.["value"];
    if (typeof last !== "number") {
      throw new TapeError("STORE_CORRUPT", `${this.#path} is damaged: tape_meta has no feed counter; restore a backup`);
    }
    return last;
  }

  /** Replaces the head if the row is at the expected version; returns the row's id, or nothing if it is not. */
  #advance({ row, expect, commitId, head }: Append): number | undefined {
    if (expect === 0) {
      const { changes, lastInsertRowid } = this.#sql.insertRow.run(row, commitId, head);
      if (changes === 0) return undefined;
      const id = Number(lastInsertRowid);
      return this.#remember(row, Number.isSafeInteger(id) ? id : this.#renumber(row));
    }
    const id = this.#rowIds.get(row) ?? this.#find(row);
    return id !== undefined && this.#sql.updateRow.run(commitId, head, id, expect).changes !== 0 ? id : undefined;
  }

  /** SQLite goes on from the highest id, which may be a damaged one that no number of JavaScript can follow. */
  #renumber(row: RowId): number {
    this.#sql.renumber.run(row);
    return Number(this.#sql.findRow.get(row)?.["id"]);
  }

  #find(row: RowId): number | undefined {
    const id = this.#sql.findRow.get(row)?.["id"];
    return id === undefined ? undefined : this.#remember(row, Number(id));
  }

  #remember(row: RowId, id: number): number {
    if (this.#rowIds.size >= rememberedRows) this.#rowIds.clear();
    this.#rowIds.set(row, id);
    return id;
  }

  /** Gives its position: the wanted one, or the next where a damaged entry, or a damaged counter, is in the way. */
  #insertEntry(wanted: number, rowId: number, commitId: string, entry: Entry): number {
    const { seq, kind, ref, dims, meta, at, trace, body } = entry;
    const apart = body !== undefined && body.length > inlineBodyBytes;
    const inline = apart || body === undefined ? null : body;
    const insert = (position: number): void => {
      this.#sql.insertEntry.run(position, rowId, seq, kind, toSqlText(ref), dims, meta, at, trace, commitId, inline);
    };
    let position = wanted;
    try {
      insert(position);
    } catch (error) {
      if (!isPositionTaken(error)) throw error;
      position = Number(this.#sql.nextFree.get(wanted - 1)?.["position"]);
      insert(position);
    }
    if (apart) this.#sql.insertBody.run(position, body);
    return position;
  }

  /** Removes first, so that a key that is both removed and added stays. */
  #changeIndex({ row, index }: Append): void {
    for (const { index: space, key } of index.remove) this.#sql.removeKey.run(space, key, row);
    for (const { index: space, key } of index.add) this.#sql.addKey.run(space, key, row);
  }

  /** Ends a transaction that is not to be committed. Ids of rows that it made are not ids any more. */
  #rollBack(): void {
    this.#rowIds.clear();
    try {
      this.#sql.rollback.run();
    } catch {
      // There is no transaction: BEGIN failed, or SQLite rolled it back by itself.
    }
  }

  /**
   * A COMMIT that reports an error may have taken effect, or may yet: its pages can be in the log, where a later
   * recovery would find them. A successful commit of the fence overwrites such pages; what is seen with it is final.
   */
  #settle(batch: readonly Append[], outcomes: Float64Array<ArrayBuffer>, cause: unknown): BatchFate {
    const fate = this.#fateOf(batch.filter((_, i) => !isConflict(outcomes[i])));
    if (fate === "committed") return { outcomes };
    if (fate === "lost") throw sqliteFailure(cause, `committing to ${this.#path}`);
    return { outcomes: outcomes.map((outcome) => (isConflict(outcome) ? outcome : Number.NaN)), cause };
  }

  /** All of one transaction share one fate, so one element that can be told tells it for all. */
  #fateOf(written: readonly Append[]): "committed" | "lost" | "unknown" {
    try {
      this.#sql.begin.run();
      this.#sql.fence.run();
      const traces = written.map(({ row, commitId }) => this.#sql.traceOf.get(commitId, commitId, row));
      this.#sql.commit.run();
      if (traces.some((trace) => trace !== undefined && trace["found"] === 1)) return "committed";
      const isUntouched = written.some(({ expect }, i) => (traces[i]?.["version"] ?? 0) === expect);
      return isUntouched ? "lost" : "unknown";
    } catch {
      this.#rollBack();
      return "unknown";
    }
  }
}

const isConflict = (outcome: number | undefined): boolean => outcome !== undefined && outcome < 0;
