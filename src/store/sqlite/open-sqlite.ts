import { TapeError } from "../../errors.ts";

/** What SQLite keeps. Integers beyond 2^53 are never written, so none comes back as a bigint. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** A row of a result, by column name. */
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

/** A prepared statement. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  get(...values: SqliteValue[]): SqliteRow | undefined;
  all(...values: SqliteValue[]): readonly SqliteRow[];
}

/**
 * A connection: the part of the `node:sqlite` API that Tape uses.
 *
 * Two traps of `@photostructure/sqlite` 1.2.1: a statement does not hold its connection, so whoever keeps statements
 * must keep the connection too, or it is garbage-collected and closed; and a closed connection keeps its files open
 * until its statements are collected or its thread ends, so that an empty `-wal` file stays until then.
 */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

interface SqliteLibrary {
  readonly DatabaseSync: new (path: string, options: { readonly readOnly: boolean }) => SqliteDatabase;
}

/**
 * Opens a SQLite connection by the API of `node:sqlite`: the built-in module where the runtime has it (Node 22.13 and
 * later), else `@photostructure/sqlite`, which carries the same API with prebuilt binaries. Both are loaded here only.
 * Errors: DRIVER_MISSING; SQLite's own for the file.
 */
export async function openSqlite(path: string, options: { readonly readOnly: boolean }): Promise<SqliteDatabase> {
  const library = builtIn() ?? (await installed());
  return new library.DatabaseSync(path, options);
}

const builtIn = (): SqliteLibrary | undefined => process.getBuiltinModule("node:sqlite") as SqliteLibrary | undefined;

async function installed(): Promise<SqliteLibrary> {
  try {
    return await import("@photostructure/sqlite");
  } catch (cause) {
    throw new TapeError(
      "DRIVER_MISSING",
      "SQLite cannot be loaded: this Node has no node:sqlite and @photostructure/sqlite is not installed for this platform; use Node 22.13 or later, or run npm install again",
      { cause },
    );
  }
}
