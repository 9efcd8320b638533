import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type Finding, fail, ok, skipped, warn } from "../../model/finding.ts";
import type { StoreCheckId, StoreExamination } from "../examination.ts";
import { defaultBusyTimeoutMs, openConnection } from "./connection.ts";
import { type Disk, diskOf } from "./disk.ts";
import type { SqliteDatabase } from "./open-sqlite.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

type Found = Finding<StoreCheckId>;

const mebibyte = 1024 ** 2;
/** A write-ahead log of 64 MiB is cut back; a few times that is one that cannot be. */
const largeLogBytes = 256 * mebibyte;
/** Below it the next checkpoint may fail; a server that cannot write is down. */
const leastFreeBytes = 64 * mebibyte;
const littleFreeBytes = 1024 * mebibyte;
/** A file of this size is read through in some seconds. */
const mostCheckedBytes = 2048 * mebibyte;
const complaintsShown = 3;

/** How the seams of an examination are set; the defaults are the machine. */
export interface FileSeams {
  readonly disk?: (file: string) => Promise<Disk>;
}

/** What there is to say of a journal in a file. Only reads; opening a file in WAL mode may make its `-shm` beside it. */
export function examineSqliteFile(file: string, { disk = diskOf }: FileSeams = {}): StoreExamination {
  const path = resolve(file);
  return {
    place: async function* () {
      let found: Disk;
      try {
        found = await disk(path);
      } catch {
        // Opening says it better.
        return;
      }
      yield filesystem(path, found);
      yield space(path, found);
    },
    journal: async function* () {
      let database: SqliteDatabase;
      try {
        database = await openConnection({ path, readOnly: true, busyTimeoutMs: defaultBusyTimeoutMs });
      } catch (error) {
        const { message } = sqliteFailure(error, `opening ${path}`, "opening");
        yield fail("sqlite.durability", message, [`# ${path} must be on a local disk, and undamaged`]);
        return;
      }
      try {
        yield ok("sqlite.durability", "WAL with synchronous=FULL: what was confirmed is on the disk");
        yield integrity(path, database);
        yield log(path);
      } finally {
        database.close();
      }
    },
    live: async function* () {},
  };
}

/** SQLite in the memory of a process. */
export const examineSqliteMemory = (): StoreExamination => ({
  place: async function* () {
    yield warn("sqlite.durability", "the journal is in the memory of the process and gone with it", [
      "export TAPE_STORE=sqlite:./tape.db",
    ]);
  },
  journal: async function* () {},
  live: async function* () {},
});

function filesystem(path: string, { kind, name }: Disk): Found {
  const elsewhere = "export TAPE_STORE=sqlite:/var/lib/tape/tape.db   # any path on a local disk";
  switch (kind) {
    case "network":
      return fail(
        "sqlite.filesystem",
        `${path} is on a network file system (${name}), where SQLite's locks and log do not protect it: two servers may damage it, and a crash may lose what was confirmed`,
        [elsewhere, "# or several servers on one journal: postgres://, alloydb://, bigtable://"],
      );
    case "memory":
      return warn("sqlite.filesystem", `${path} is on a file system in memory (${name}): a restart loses the journal`, [
        elsewhere,
      ]);
    case "user":
      return warn(
        "sqlite.filesystem",
        `${path} is on a file system of a program (${name}): whether it locks, and keeps what it confirms, is for that program to say`,
        [elsewhere],
      );
    case "unknown":
      return skipped("sqlite.filesystem", "what kind of file system this is can be told on Linux only");
    case "local":
      return ok("sqlite.filesystem", `${path} is on a local disk`);
  }
}

function space(path: string, { freeBytes }: Disk): Found {
  const says = `${size(freeBytes)} free on the disk of ${path}`;
  const mend = [`df -h ${path}   # then make room, or move the file while no server runs`];
  if (freeBytes < leastFreeBytes) return fail("sqlite.space", `${says}: commits are about to fail`, mend);
  return freeBytes < littleFreeBytes ? warn("sqlite.space", says, mend) : ok("sqlite.space", says);
}

function integrity(path: string, database: SqliteDatabase): Found {
  const bytes = sizeOf(path);
  if (bytes > mostCheckedBytes) {
    return skipped(
      "sqlite.integrity",
      `${size(bytes)} take long to read through; sqlite3 ${path} 'pragma quick_check' does`,
    );
  }
  let complaints: string[];
  try {
    const rows = database.prepare(`pragma quick_check(${complaintsShown})`).all();
    complaints = rows.map((row) => String(row["quick_check"])).filter((line) => line !== "ok");
  } catch (error) {
    complaints = [sqliteFailure(error, `reading ${path}`).message];
  }
  if (complaints.length === 0) return ok("sqlite.integrity", `${size(bytes)}, every page can be read`);
  return fail("sqlite.integrity", `the file is damaged: ${complaints.join("; ").replaceAll(/\s+/g, " ")}`, [
    "# stop every server, keep a copy of the file, and restore the last backup (docs/backup.md); without one:",
    `sqlite3 ${path} .recover | sqlite3 ${path}.recovered`,
  ]);
}

function log(path: string): Found {
  const bytes = sizeOf(`${path}-wal`);
  if (bytes <= largeLogBytes) return ok("sqlite.log", `the write-ahead log has ${size(bytes)}`);
  const does = "move the write-ahead log into the file";
  return warn(
    "sqlite.log",
    `the write-ahead log has ${size(bytes)}: a connection that reads for long keeps it from being folded back`,
    [`sqlite3 ${path} 'pragma wal_checkpoint(truncate)'`],
    { does, run: () => checkpoint(path) },
  );
}

async function checkpoint(path: string): Promise<string> {
  const database = await openConnection({ path, readOnly: false, busyTimeoutMs: defaultBusyTimeoutMs });
  try {
    const busy = database.prepare("pragma wal_checkpoint(truncate)").get()?.["busy"] !== 0;
    return busy ? "a connection still reads from the log: end it and try again" : "the log is folded back";
  } catch (error) {
    throw sqliteFailure(error, `folding back the log of ${path}`);
  } finally {
    database.close();
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function size(bytes: number): string {
  if (bytes < mebibyte) return `${Math.ceil(bytes / 1024)} KiB`;
  return bytes < 1024 * mebibyte
    ? `${Math.round(bytes / mebibyte)} MiB`
    : `${(bytes / mebibyte / 1024).toFixed(1)} GiB`;
}
