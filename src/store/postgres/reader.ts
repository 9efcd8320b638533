import { TapeError } from "../../errors.ts";
import { fromSqlText } from "../sql/sql-text.ts";
import { SharedReads } from "../shared-reads.ts";
import { storedVersion } from "../stored-version.ts";
import type { FeedPage, ReadOptions, RowId, RowSlice, ScanItem, ScanOptions, ScanPage, StoredEntry } from "../store.ts";
import type { Connections, Line } from "./connections.ts";
import type { Statements } from "./statements.ts";

/** Behind every key: keys are printable ASCII. */
const behindAllKeys = "\u007f";

/** Heads in one statement; larger lists take several. */
const mostHeads = 100;

/** A page of the feed, and what else the look at it showed. */
export interface FeedLook extends FeedPage {
  /** The journal's numbers are those of this database; otherwise the page is empty and says nothing. */
  readonly isHome: boolean;
  /** Something is committed that cannot be delivered yet: an older transaction is still running. */
  readonly isHeldBack: boolean;
}

/** The read half of the store. */
export class Reader {
  readonly #connections: Connections;
  readonly #sql: Statements;
  readonly #heads: SharedReads<RowId, Line | undefined>;

  constructor(connections: Connections, sql: Statements) {
    this.#connections = connections;
    this.#sql = sql;
    this.#heads = new SharedReads({ readAll: (rows) => this.#readHeads(rows), most: mostHeads });
  }

  /** See {@link Store.read}. */
  async read(row: RowId, options: ReadOptions): Promise<RowSlice | null> {
    const { after = 0, limit = null, bodies = false } = options;
    if (limit === 0) {
      const line = await this.#heads.read(row);
      return line === undefined ? null : { ...headOf(row, line[1], line[2], line[3]), entries: [] };
    }
    const doing = `reading row ${row} in ${this.#connections.place}`;
    const statement = bodies ? this.#sql.readWithBodies : this.#sql.read;
    const [head, ...entries] = await this.#connections.read(statement, [row, after, limit], doing);
    if (head === undefined) return null;
    return {
      ...headOf(row, head[column.position], head[column.commitId], head[column.meta]),
      entries: entries.map((line) => ({
        ...storedEntry(line, line[column.body]),
        commitId: text(line[column.commitId]),
      })),
    };
  }

  async #readHeads(rows: readonly RowId[]): Promise<readonly (Line | undefined)[]> {
    const doing = `reading ${rows.length === 1 ? `row ${rows[0]}` : `${rows.length} rows`} in ${this.#connections.place}`;
    const lines = await this.#connections.read(this.#sql.heads, [rows], doing);
    const found = new Map(lines.map((line) => [text(line[0]), line]));
    return rows.map((row) => found.get(row));
  }

  /** See {@link Store.scan}. */
  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    const { from = "", to = behindAllKeys, after, limit } = options;
    // No row has an empty name, so (from, "") stands right before the first item of `from`.
    const start = after !== undefined && after.key >= from ? after : { key: from, row: "" };
    const lines = await this.#connections.read(
      this.#sql.scan,
      [index, start.key, start.row, to, limit + 1],
      `scanning index ${index} in ${this.#connections.place}`,
    );
    const items = lines.slice(0, limit).map(([key, row]): ScanItem => ({ key: text(key), row: text(row) as RowId }));
    return lines.length > limit ? { items, next: items.at(-1) } : { items };
  }

  /** See {@link Store.tail}. */
  async tail(after: number, limit: number): Promise<FeedLook> {
    const doing = `reading the feed of ${this.#connections.place}`;
    const [state, ...lines] = await this.#connections.read(this.#sql.tail, [after, limit], doing);
    if (state === undefined) {
      throw new TapeError("STORE_CORRUPT", `${doing} failed: tape_meta is damaged; restore a backup`);
    }
    const entries = lines.map((line) => ({ ...storedEntry(line, null), row: text(line[column.row]) as RowId }));
    return {
      entries,
      next: entries.at(-1)?.position ?? after,
      isHome: state[column.meta] === "true",
      isHeldBack: Number(state[column.at]) === 1 && entries.length < limit,
    };
  }

  /** Entries that the feed cannot give, in words; at most about that many. */
  async misplaced(limit: number): Promise<readonly string[]> {
    const doing = `looking at positions in ${this.#connections.place}`;
    const lines = await this.#connections.read(this.#sql.misplaced, [limit], doing);
    return lines.map(([row, seq]) => `entry ${text(seq)} of row ${text(row)}`);
  }

  /** The highest position that is committed; 0: none. */
  async lastPosition(): Promise<number> {
    const doing = `reading the feed of ${this.#connections.place}`;
    const [line] = await this.#connections.read(this.#sql.lastPosition, [], doing);
    return Number(line?.[0] ?? 0);
  }
}

/** Columns of `read` and `tail`; those behind `trace` differ. */
const column = {
  position: 0,
  seq: 1,
  kind: 2,
  ref: 3,
  dims: 4,
  meta: 5,
  at: 6,
  trace: 7,
  commitId: 8,
  row: 8,
  body: 9,
} as const;

const encoder = new TextEncoder();

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const headOf = (row: RowId, version: unknown, commitId: unknown, head: unknown): Omit<RowSlice, "entries"> => ({
  version: storedVersion(Number(version), row),
  commitId: text(commitId),
  head: encoder.encode(text(head)),
});

function storedEntry(line: Line, body: unknown): StoredEntry {
  const entry = {
    seq: Number(line[column.seq]),
    kind: text(line[column.kind]),
    ref: fromSqlText(text(line[column.ref])),
    dims: text(line[column.dims]),
    meta: text(line[column.meta]),
    at: Number(line[column.at]),
    trace: text(line[column.trace]),
    position: Number(line[column.position]),
  };
  if (!(body instanceof Uint8Array)) return entry;
  // A plain view: callers need not know of Node's Buffer.
  return { ...entry, body: new Uint8Array(body.buffer, body.byteOffset, body.length) };
}
