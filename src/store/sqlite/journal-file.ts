import { accessSync, closeSync, constants, openSync, readSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { TapeError } from "../../errors.ts";
import { openSqlite } from "./open-sqlite.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

/** `PRAGMA application_id` of a journal: "Tape" in ASCII. */
export const applicationId = 0x54617065;

/**
 * What stands at a path, seen without SQLite, so that nothing is created and nothing is touched.
 * Its format is that of the last checkpoint: a lower bound.
 */
export type JournalFile =
  | { readonly kind: "absent" }
  /** A file that SQLite would take for a new database. */
  | { readonly kind: "empty" }
  | { readonly kind: "journal"; readonly format: number };

/** https://www.sqlite.org/fileformat.html#the_database_header */
const header = { bytes: 100, magic: "SQLite format 3\0", readVersion: 19, userVersion: 60, applicationId: 68 } as const;
const walVersion = 2;

const refuse = (path: string, why: string, cause?: unknown): TapeError =>
  new TapeError("STORE_NOT_USABLE", `${path} cannot hold a journal: ${why}`, cause === undefined ? {} : { cause });

/**
 * Looks at a path. Errors: STORE_NOT_USABLE when it is no place for a journal: its directory does not exist, it is not
 * a file, not SQLite, or another application's.
 */
export async function inspectJournalFile(path: string): Promise<JournalFile> {
  const stats = statPath(path);
  if (stats === undefined) return { kind: "absent" };
  if (!stats.isFile()) {
    throw refuse(path, `it is ${stats.isDirectory() ? "a directory" : "not a regular file"}; name a file`);
  }
  if (stats.size === 0) return { kind: "empty" };
  const bytes = readHeader(path);
  if (bytes.toString("latin1", 0, header.magic.length) !== header.magic) {
    throw refuse(path, "it is not a SQLite database; choose another path, this file was left as it is");
  }
  const owner = bytes.readUInt32BE(header.applicationId);
  if (owner === applicationId) return { kind: "journal", format: bytes.readUInt32BE(header.userVersion) };
  // A journal is marked before it becomes a WAL file, so an unmarked WAL file is somebody else's.
  if (owner === 0 && bytes[header.readVersion] !== walVersion && (await hasNothing(path))) return { kind: "empty" };
  throw refuse(path, "it is the database of another application; choose another path, this file was left as it is");
}

/** Checks that a journal at this path could be written. Errors: STORE_NOT_USABLE. */
export function mustBeWritable(path: string, file: JournalFile): void {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    if (file.kind !== "absent") accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw refuse(path, "it cannot be written; check the permissions of the file and of its directory", cause);
  }
}

/** Content of the write-ahead log is not yet in the file, so its header may be out of date. */
export const hasWal = (path: string): boolean => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;

function statPath(path: string): Stats | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined && !statSync(dirname(path)).isDirectory())
      throw refuse(path, "its parent is not a directory");
    return stats;
  } catch (cause) {
    if (cause instanceof TapeError) throw cause;
    throw refuse(path, `the directory ${dirname(path)} cannot be used; create it or choose another path`, cause);
  }
}

function readHeader(path: string): Buffer {
  const bytes = Buffer.alloc(header.bytes);
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    readSync(file, bytes, 0, header.bytes, 0);
    return bytes;
  } catch (cause) {
    throw refuse(path, "it cannot be read; check its permissions", cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** A database without a single table. Opening it read-only creates nothing, since it is not a WAL file. */
async function hasNothing(path: string): Promise<boolean> {
  try {
    const database = await openSqlite(path, { readOnly: true });
    try {
      return database.prepare("select 1 from sqlite_schema limit 1").get() === undefined;
    } finally {
      database.close();
    }
  } catch (error) {
    throw sqliteFailure(error, `reading ${path}`, "opening");
  }
}
