import { parentPort, workerData } from "node:worker_threads";
import { openSqlite } from "../src/store/sqlite/open-sqlite.ts";
import type { RawAppend } from "./raw.ts";

/** Compare-and-append as any journal on SQLite must do it, in as few statements as that takes. */
const database = await openSqlite(String(workerData), { readOnly: false });
database.exec("pragma journal_mode = wal; pragma synchronous = full");
database.exec(`
  create table heads (row integer primary key, version integer not null, body blob not null);
  create table entries (row integer not null, seq integer not null, body blob not null);
  create unique index entries_by_row on entries (row, seq);
`);
const insertHead = database.prepare("insert into heads (row, version, body) values (?, 1, ?)");
const updateHead = database.prepare("update heads set version = version + 1, body = ? where row = ? and version = ?");
const insertEntry = database.prepare("insert into entries (row, seq, body) values (?, ?, ?)");
const head = new Uint8Array(64);

parentPort?.on("message", (batch: readonly RawAppend[]) => {
  database.exec("begin immediate");
  for (const { row, version, body } of batch) {
    if (version === 0) insertHead.run(row, head);
    else if (updateHead.run(head, row, version).changes !== 1) throw new Error("conflict");
    insertEntry.run(row, version + 1, body);
  }
  database.exec("commit");
  parentPort?.postMessage("committed");
});
parentPort?.postMessage("open");
