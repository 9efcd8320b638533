import { setTimeout as sleep } from "node:timers/promises";
import { TapeError } from "../../errors.ts";
import { openSqlite, type SqliteDatabase, type SqliteValue } from "./open-sqlite.ts";
import { isBusy } from "./sqlite-failure.ts";

/** How to connect. */
export interface ConnectionOptions {
  /** A path, or `:memory:`. */
  readonly path: string;
  /** Statements that write are refused. */
  readonly readOnly: boolean;
  /** How long a statement waits for another process's lock. */
  readonly busyTimeoutMs: number;
}

/** A private database in memory. */
export const inMemory = ":memory:";

/** How long a write waits for another process unless told otherwise: longer than any commit, shorter than a caller. */
export const defaultBusyTimeoutMs = 10_000;

/**
 * The WAL is moved into the file when it has grown to this many pages (16 MiB). Measured on appends of one entry at 64
 * callers: 58 k/s at SQLite's default of 1000, 65 k/s at 4000, 62 k/s at 16,000; p99 fell from 6.2 to 2.6 ms.
 */
const checkpointPages = 4000;
/** 16 MiB of pages per connection: SQLite's default of 2 MB misses on hot rows when many runs are open. */
const cacheKibibytes = 16_384;
/** A WAL that one large commit blew up is cut back to this after a checkpoint. */
const walBytes = 64 * 1024 * 1024;

/**
 * Opens a connection with the settings that durability rests on, and reads them back: a connection that re-opens a WAL
 * file may come up with `synchronous=NORMAL`. Errors: STORE_NOT_USABLE, DRIVER_MISSING; SQLite's own.
 */
export async function openConnection(options: ConnectionOptions): Promise<SqliteDatabase> {
  const { path, readOnly, busyTimeoutMs } = options;
  // Not SQLite's own read-only mode: the last connection to close removes the log, and one in that mode cannot.
  const database = await openSqlite(path, { readOnly: false });
  try {
    database.exec(`pragma busy_timeout = ${busyTimeoutMs}; pragma cache_size = ${-cacheKibibytes}`);
    if (path !== inMemory) {
      if (!readOnly) await useWal(database, busyTimeoutMs);
      database.exec(`
        pragma synchronous = full;
        pragma wal_autocheckpoint = ${checkpointPages};
        pragma journal_size_limit = ${walBytes}`);
      mustBe(database, path, "journal_mode", "wal");
      mustBe(database, path, "synchronous", 2);
    }
    mustBe(database, path, "busy_timeout", busyTimeoutMs, "timeout");
    if (readOnly) {
      database.exec("pragma query_only = on");
      mustBe(database, path, "query_only", 1);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Changing the journal mode does not wait for other connections by itself (several processes may start together). */
async function useWal(database: SqliteDatabase, busyTimeoutMs: number): Promise<void> {
  const pauseMs = 5;
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    try {
      database.exec("pragma journal_mode = wal");
      return;
    } catch (error) {
      if (!isBusy(error) || waitedMs > busyTimeoutMs) throw error;
      await sleep(pauseMs);
    }
  }
}

/** Reads a pragma; some answer under another name. */
export const pragma = (database: SqliteDatabase, name: string, column: string = name): SqliteValue | undefined =>
  database.prepare(`pragma ${name}`).get()?.[column];

function mustBe(database: SqliteDatabase, path: string, name: string, wanted: SqliteValue, column?: string): void {
  const found = pragma(database, name, column);
  if (found !== wanted) {
    throw new TapeError(
      "STORE_NOT_USABLE",
      `${path} cannot be used safely: SQLite answers ${name}=${String(found)} where ${String(wanted)} is needed; put the file on a local disk`,
    );
  }
}
