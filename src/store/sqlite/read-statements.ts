import type { SqliteDatabase, SqliteStatement } from "./open-sqlite.ts";

/** Every statement of the read path, prepared once per connection. */
export interface ReadStatements {
  readonly begin: SqliteStatement;
  readonly commit: SqliteStatement;
  /** row */
  readonly head: SqliteStatement;
  /** row id, after seq, limit (-1: all) */
  readonly entries: SqliteStatement;
  /** row id, after seq, limit (-1: all) */
  readonly entriesWithBodies: SqliteStatement;
  /** index, cursor key, cursor row, key to end before, limit */
  readonly scan: SqliteStatement;
  /** after position, limit */
  readonly tail: SqliteStatement;
  readonly dataVersion: SqliteStatement;
}

/** A damaged integer may be none that JavaScript has, and reading it would fail for everything that is read with it. */
export const asNumber = (column: string): string =>
  `iif(${column} between ${Number.MIN_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER}, ${column}, cast(${column} as real))`;

const envelope = `${asNumber("e.position")} as position, ${asNumber("e.seq")} as seq, e.kind, e.ref, e.dims, e.meta, ${asNumber("e.at")} as at, e.trace`;

/**
 * No entry has a position that was not given yet, unless it is damaged: a reader that took it would pass over everything
 * that comes. Without the counter nothing can be appended, and what is there is given.
 */
const lastGiven = `coalesce((select value from tape_meta where name = 'feed'), ${Number.MAX_SAFE_INTEGER})`;

/** Only the statement that asks for bodies touches the pages they stand on. */
export function prepareReads(database: SqliteDatabase): ReadStatements {
  const prepare = (sql: string): SqliteStatement => database.prepare(sql);
  return {
    begin: prepare("begin"),
    commit: prepare("commit"),
    head: prepare(
      `select ${asNumber("id")} as id, ${asNumber("version")} as version, commit_id, cast(head as blob) as head
       from tape_rows where row = ?`,
    ),
    entries: prepare(`
      select ${envelope}, e.commit_id from tape_entries e
      where e.row_id = ? and e.seq > ? order by e.seq limit ?`),
    entriesWithBodies: prepare(`
      select ${envelope}, e.commit_id, coalesce(e.body, b.body) as body
      from tape_entries e left join tape_bodies b on b.position = e.position
      where e.row_id = ? and e.seq > ? order by e.seq limit ?`),
    scan: prepare(`
      select key, row from tape_index
      where idx = ? and (key, row) > (?, ?) and key < ? order by key, row limit ?`),
    tail: prepare(`
      select ${envelope}, r.row from tape_entries e join tape_rows r on r.id = e.row_id
      where e.position > ? and e.position <= ${lastGiven} order by e.position limit ?`),
    dataVersion: prepare("pragma data_version"),
  };
}
