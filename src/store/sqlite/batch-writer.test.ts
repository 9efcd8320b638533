import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TapeError } from "../../errors.ts";
import { appendTo, bytes, entry } from "../../testing/test-store/material.ts";
import type { Append } from "../store.ts";
import { BatchWriter } from "./batch-writer.ts";
import { openConnection } from "./connection.ts";
import { applyMigrations } from "./migrate.ts";
import type { SqliteDatabase } from "./open-sqlite.ts";
import { migrations } from "./schema.ts";

let directory: string;
let path: string;
let database: SqliteDatabase;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "tape-writer-"));
  path = join(directory, "tape.db");
  database = await openConnection({ path, readOnly: false, busyTimeoutMs: 1000 });
  applyMigrations(database, migrations, path);
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const ioError = (): Error => Object.assign(new Error("disk I/O error"), { errcode: 10 });

/** The database, but for what happens at COMMIT: one answer for each, then as ever. */
function sabotaged(...commits: readonly ((commit: () => void) => void)[]): SqliteDatabase {
  const left = [...commits];
  return {
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      if (sql !== "commit") return statement;
      return {
        get: () => undefined,
        all: () => [],
        run: () => {
          const act = left.shift() ?? ((commit) => commit());
          act(() => statement.run());
          return { changes: 0, lastInsertRowid: 0 };
        },
      };
    },
  };
}

const failsBefore = (): never => {
  throw ioError();
};
const failsAfter = (commit: () => void): never => {
  commit();
  throw ioError();
};

const refusal = (writer: BatchWriter, batch: readonly Append[]): TapeError => {
  try {
    writer.apply(batch);
  } catch (error) {
    if (error instanceof TapeError) return error;
    throw error;
  }
  throw new TypeError("the batch was accepted");
};

/** As another process does. */
const insertRow = (row: string, version: number): void =>
  database.exec(`insert into tape_rows (row, version, commit_id, head) values ('${row}', ${version}, 'other', '{}')`);

const rows = (): readonly unknown[] =>
  database
    .prepare("select row, version from tape_rows order by row")
    .all()
    .map(({ row, version }) => `${String(row)} ${String(version)}`);
const entryCount = (): unknown => database.prepare("select count(*) as n from tape_entries").get()?.["n"];

describe("a COMMIT that reports an error", () => {
  it("is a failure when nothing was written", () => {
    const writer = new BatchWriter(sabotaged(failsBefore), path);
    const error = refusal(writer, [appendTo("a", 0), appendTo("b", 0)]);
    expect(error.reason).toBe("STORE_UNAVAILABLE");
    expect(error.message).toBe(
      `committing to ${path} failed: the disk reported an error; check it and the system's log`,
    );
    expect([rows(), entryCount()]).toEqual([[], 0]);
    expect([...writer.apply([appendTo("a", 0)]).outcomes]).toEqual([1]);
  });

  it("is a failure only behind a commit that overwrites what the failed one may have left in the log", () => {
    const fence = (): unknown => database.prepare("select value from tape_meta where name = 'fence'").get()?.["value"];
    const before = Number(fence());
    refusal(new BatchWriter(sabotaged(failsBefore), path), [appendTo("a", 0)]);
    expect(fence()).toBe(before + 1);
  });

  it("is a failure of all elements when one of their rows is untouched, whoever has gone on with another", () => {
    const overtaken = (): never => {
      database.exec("rollback");
      insertRow("b", 1);
      throw ioError();
    };
    const writer = new BatchWriter(sabotaged(overtaken), path);
    expect(refusal(writer, [appendTo("a", 0), appendTo("b", 0)]).reason).toBe("STORE_UNAVAILABLE");
  });

  it("is a success when everything was written", () => {
    const writer = new BatchWriter(sabotaged(failsAfter), path);
    const { outcomes } = writer.apply([appendTo("a", 0), appendTo("z", 3), appendTo("b", 0)]);
    expect([...outcomes]).toEqual([1, -1, 2]);
    expect(rows()).toEqual(["a 1", "b 1"]);
  });

  it("is a success when another writer has gone on since, as the entries tell", () => {
    const overtaken = (commit: () => void): never => {
      commit();
      database.exec("update tape_rows set version = version + 1, commit_id = 'other'");
      throw ioError();
    };
    const { outcomes } = new BatchWriter(sabotaged(overtaken), path).apply([appendTo("a", 0)]);
    expect([...outcomes]).toEqual([1]);
  });

  it("is unknown when no trace is left to tell, which a row that was in conflict cannot", () => {
    const overtaken = (commit: () => void): never => {
      commit();
      database.exec("update tape_rows set version = version + 1, commit_id = 'other'");
      insertRow("b", 4);
      throw ioError();
    };
    const writer = new BatchWriter(sabotaged(overtaken), path);
    const { outcomes, cause } = writer.apply([appendTo("a", 0, { entries: [] }), appendTo("b", 4)]);
    expect([...outcomes]).toEqual([Number.NaN, -1]);
    expect(cause).toMatchObject({ errcode: 10 });
  });

  it("is unknown when looking fails as well", () => {
    const { outcomes } = new BatchWriter(sabotaged(failsBefore, failsBefore), path).apply([appendTo("a", 0)]);
    expect([...outcomes]).toEqual([Number.NaN]);
  });
});

describe("a batch that cannot be written", () => {
  it("leaves nothing on a full disk, and works when there is room again", () => {
    const writer = new BatchWriter(database, path);
    const pages = Number(database.prepare("pragma page_count").get()?.["page_count"]);
    database.exec(`pragma max_page_count = ${pages + 3}`);
    const large = appendTo("big", 0, { entries: [entry(1, { body: new Uint8Array(1_000_000) })] });
    const error = refusal(writer, [appendTo("a", 0), large]);
    expect(error.reason).toBe("STORE_UNAVAILABLE");
    expect(error.message).toContain("the disk is full; make room on it");
    expect([rows(), entryCount()]).toEqual([[], 0]);
    database.exec("pragma max_page_count = 1000000");
    expect([...writer.apply([appendTo("a", 0), large]).outcomes]).toEqual([1, 2]);
  });

  it("leaves nothing when a seq comes twice, and forgets the rows it had made", () => {
    const writer = new BatchWriter(database, path);
    const error = refusal(writer, [appendTo("a", 0), appendTo("b", 0, { entries: [entry(1), entry(1)] })]);
    expect(error.reason).toBe("INTERNAL");
    expect([rows(), entryCount()]).toEqual([[], 0]);
    writer.apply([appendTo("b", 0), appendTo("a", 0)]);
    writer.apply([appendTo("a", 1, { head: bytes("of a") }), appendTo("b", 1, { head: bytes("of b") })]);
    expect(database.prepare("select row, head from tape_rows order by row").all()).toMatchObject([
      { row: "a", head: "of a" },
      { row: "b", head: "of b" },
    ]);
  });

  it("takes no row for another that another process has made since", () => {
    const writer = new BatchWriter(database, path);
    refusal(writer, [appendTo("a", 0), appendTo("b", 0, { entries: [entry(1), entry(1)] })]);
    insertRow("other", 1);
    insertRow("a", 1);
    writer.apply([appendTo("a", 1, { head: bytes("of a") })]);
    expect(database.prepare("select row, head from tape_rows order by row").all()).toMatchObject([
      { row: "a", head: "of a" },
      { row: "other", head: "{}" },
    ]);
  });

  it("is corruption when the feed counter is gone", () => {
    const writer = new BatchWriter(database, path);
    database.exec("delete from tape_meta");
    expect(refusal(writer, [appendTo("a", 0)]).reason).toBe("STORE_CORRUPT");
  });
});

it("a batch of conflicts takes no positions", () => {
  const writer = new BatchWriter(database, path);
  writer.apply([appendTo("a", 5), appendTo("b", 5)]);
  expect([...writer.apply([appendTo("a", 0)]).outcomes]).toEqual([1]);
});

it("keeps small bodies with their entries and large ones apart, until they are trimmed", () => {
  const writer = new BatchWriter(database, path);
  const bodies = [100, 1024, 1025, 50_000].map((length) => new Uint8Array(length));
  writer.apply([appendTo("a", 0, { entries: bodies.map((body, i) => entry(i + 1, { body })) })]);
  const apart = (): unknown => database.prepare("select position, length(body) as n from tape_bodies").all();
  expect(apart()).toMatchObject([
    { position: 3, n: 1025 },
    { position: 4, n: 50_000 },
  ]);
  writer.apply([appendTo("a", 1, { entries: [], trimBelow: 4 })]);
  expect(apart()).toMatchObject([{ position: 4 }]);
});

it("heads can be read by SQL's JSON functions", () => {
  new BatchWriter(database, path).apply([appendTo("a", 0, { head: bytes('{"status":"RÜN"}') })]);
  const [row] = database.prepare("select typeof(head) as type, head ->> 'status' as status from tape_rows").all();
  expect(row).toMatchObject({ type: "text", status: "RÜN" });
});
