import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { TapeError } from "../../errors.ts";
import { defaultBusyTimeoutMs } from "./connection.ts";
import { openSqlite } from "./open-sqlite.ts";

/** `PRAGMA application_id` of a journal: "Tape" in ASCII. */
export const applicationId = 0x54617065;

/** What stands at a path. */
export type JournalFile =
  | { readonly kind: "absent" }
  /** A file that SQLite takes for a database without a table. */
  | { readonly kind: "empty" }
  | { readonly kind: "journal"; readonly format: number };

/** https://www.sqlite.org/fileformat.html: the database header, then the root page of the schema table. */
const header = { magic: "SQLite format 3\0", userVersion: 60, applicationId: 68, pageType: 100, cells: 103 } as const;
const headerBytes = 108;
const leafTable = 0x0d;

interface Marks {
  readonly owner: number;
  readonly format: number;
  readonly hasTables: boolean;
}

const refuse = (path: string, why: string, cause?: unknown): TapeError =>
  new TapeError("STORE_NOT_USABLE", `${path} cannot hold a journal: ${why}`, cause === undefined ? {} : { cause });

/**
 * Looks at a path; changes and creates nothing, but for a transaction that SQLite rolls back because its power failed. Errors: STORE_NOT_USABLE when it is no place for a journal: its directory
 * does not exist, it is not a file, not SQLite, or another application's; SQLite's own.
 */
export async function inspectJournalFile(path: string): Promise<JournalFile> {
  const stats = statPath(path);
  if (stats === undefined) return { kind: "absent" };
  if (!stats.isFile()) {
    throw refuse(path, `it is ${stats.isDirectory() ? "a directory" : "not a regular file"}; name a file`);
  }
  if (stats.size === 0) return { kind: "empty" };
  const { owner, format, hasTables } = isInUse(path) ? await marksBySqlite(path) : marksInHeader(path);
  if (owner === applicationId) return { kind: "journal", format };
  if (owner === 0 && !hasTables) return { kind: "empty" };
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

/**
 * A connection may be open, or a crashed one left its log, which the header does not know of. Then SQLite must look,
 * and finds its files there already. It also must because closing a file that SQLite has open in this process gives up
 * SQLite's locks on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
const isInUse = (path: string): boolean => existsSync(`${path}-wal`) || existsSync(`${path}-shm`) || isUnfinished(path);

/** The rollback journal of a transaction is there: of one under way, or of one that a power failure ended. */
const isUnfinished = (path: string): boolean => existsSync(`${path}-journal`);

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

/** Without SQLite, which would create files beside one in WAL mode. */
function marksInHeader(path: string): Marks {
  const bytes = Buffer.alloc(headerBytes);
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    readSync(file, bytes, 0, headerBytes, 0);
  } catch (cause) {
    throw refuse(path, "it cannot be read; check its permissions", cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
  if (bytes.toString("latin1", 0, header.magic.length) !== header.magic) {
    throw refuse(path, "it is not a SQLite database; choose another path, this file was left as it is");
  }
  return {
    owner: bytes.readUInt32BE(header.applicationId),
    format: bytes.readUInt32BE(header.userVersion),
    hasTables: bytes[header.pageType] !== leafTable || bytes.readUInt16BE(header.cells) > 0,
  };
}

async function marksBySqlite(path: string): Promise<Marks> {
  // What a power failure has left half written is no database until SQLite has rolled it back, for which it must write.
  const database = await openSqlite(path, { readOnly: !isUnfinished(path) });
  try {
    // Another process may just be making the log, and the built-in module does not wait unless told to.
    database.exec(`pragma busy_timeout = ${defaultBusyTimeoutMs}`);
    return {
      owner: Number(database.prepare("pragma application_id").get()?.["application_id"]),
      format: Number(database.prepare("pragma user_version").get()?.["user_version"]),
      hasTables: database.prepare("select 1 from sqlite_schema limit 1").get() !== undefined,
    };
  } finally {
    database.close();
  }
}
