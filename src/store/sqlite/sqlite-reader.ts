import { TapeError } from "../../errors.ts";
import { fromSqlText } from "../sql/sql-text.ts";
import { storedVersion } from "../stored-version.ts";
import type {
  FeedPage,
  ReadOptions,
  RowId,
  RowSlice,
  ScanItem,
  ScanOptions,
  ScanPage,
  StoredEntry,
  TailOptions,
} from "../store.ts";
import type { SqliteDatabase, SqliteRow } from "./open-sqlite.ts";
import { prepareReads, type ReadStatements } from "./read-statements.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

/** Behind every key: keys are printable ASCII. */
const behindAllKeys = "\u007f";
const noLimit = -1;

/** Reads a journal on a connection of its own: in WAL mode a reader never waits for a commit. */
export class SqliteReader {
  readonly #database: SqliteDatabase;
  readonly #path: string;
  readonly #sql: ReadStatements;

  constructor(database: SqliteDatabase, path: string) {
    this.#database = database;
    this.#path = path;
    this.#sql = prepareReads(database);
  }

  /** See {@link Store.read}. Errors: STORE_UNAVAILABLE, STORE_CORRUPT. */
  read(row: RowId, options: ReadOptions): RowSlice | null {
    const { after = 0, limit = noLimit, bodies = false } = options;
    return this.#try(`reading row ${row} of ${this.#path}`, () => {
      if (limit === 0) return this.#slice(row, this.#sql.head.get(row), []);
      const entries = bodies ? this.#sql.entriesWithBodies : this.#sql.entries;
      // One transaction, so that head and entries are of one moment.
      this.#sql.begin.run();
      try {
        const found = this.#sql.head.get(row);
        return this.#slice(row, found, found === undefined ? [] : entries.all(found["id"] ?? null, after, limit));
      } finally {
        this.#sql.commit.run();
      }
    });
  }

  #slice(row: RowId, found: SqliteRow | undefined, entries: readonly SqliteRow[]): RowSlice | null {
    if (found === undefined) return null;
    return {
      version: storedVersion(found["version"] as number, row),
      commitId: found["commit_id"] as string,
      head: found["head"] as Uint8Array,
      entries: entries.map((entry) => ({ ...storedEntry(entry), commitId: entry["commit_id"] as string })),
    };
  }

  /** See {@link Store.scan}. Errors: STORE_UNAVAILABLE, STORE_CORRUPT. */
  scan(index: string, options: ScanOptions): ScanPage {
    const { from = "", to = behindAllKeys, after, limit } = options;
    // No row has an empty name, so (from, "") stands right before the first item of `from`.
    const start = after !== undefined && after.key >= from ? after : { key: from, row: "" };
    return this.#try(`scanning index ${index} of ${this.#path}`, () => {
      const found = this.#sql.scan.all(index, start.key, start.row, to, limit + 1);
      const items = found.slice(0, limit).map(scanItem);
      return found.length > limit ? { items, next: items.at(-1) } : { items };
    });
  }

  /** See {@link Store.tail}. Errors: STORE_UNAVAILABLE, STORE_CORRUPT. */
  tail({ after, limit }: TailOptions): FeedPage {
    return this.#try(`reading the feed of ${this.#path}`, () => {
      const found = this.#sql.tail.all(after, limit);
      const entries = found.map((row) => ({ ...storedEntry(row), row: row["row"] as RowId }));
      return { entries, next: entries.at(-1)?.position ?? after };
    });
  }

  /** A number that changes when any other connection has committed. */
  dataVersion(): number {
    return this.#try(`reading ${this.#path}`, () => Number(this.#sql.dataVersion.get()?.["data_version"]));
  }

  close(): void {
    this.#database.close();
  }

  #try<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw error instanceof TapeError ? error : sqliteFailure(error, doing);
    }
  }
}

const scanItem = (row: SqliteRow): ScanItem => ({ key: row["key"] as string, row: row["row"] as RowId });

/** The table is STRICT: SQLite guarantees the types. */
function storedEntry(row: SqliteRow): StoredEntry {
  const entry = {
    seq: row["seq"] as number,
    kind: row["kind"] as string,
    ref: fromSqlText(row["ref"] as string),
    dims: row["dims"] as string,
    meta: row["meta"] as string,
    at: row["at"] as number,
    trace: row["trace"] as string,
    position: row["position"] as number,
  };
  return row["body"] instanceof Uint8Array ? { ...entry, body: row["body"] } : entry;
}
