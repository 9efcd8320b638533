import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TapeError } from "../../errors.ts";
import { appendTo, entry, rowId, upTo } from "../../testing/test-store/material.ts";
import type { Store } from "../store.ts";
import { openConnection, pragma } from "./connection.ts";
import { applicationId } from "./journal-file.ts";
import { openSqlite } from "./open-sqlite.ts";
import { sqliteFileStore } from "./sqlite-store.ts";

let directory: string;
let path: string;
const opened: Store[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tape-file-"));
  path = join(directory, "tape.db");
});

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(directory, { recursive: true });
});

function storeAt(file: string, busyTimeoutMs = 1000): Store {
  const store = sqliteFileStore({ path: file, busyTimeoutMs });
  opened.push(store);
  return store;
}

async function journalAt(file: string): Promise<Store> {
  const store = storeAt(file);
  await store.migrate({ dryRun: false });
  return store;
}

/** Runs SQL as some other application would. */
async function sql(file: string, ...statements: readonly string[]): Promise<void> {
  const database = await openSqlite(file, { readOnly: false });
  for (const statement of statements) database.exec(statement);
  database.close();
}

/** Every file of the directory with its bytes. */
async function snapshot(): Promise<Readonly<Record<string, string>>> {
  const files = await readdir(directory, { withFileTypes: true });
  const regular = files.filter((file) => file.isFile());
  const contents = await Promise.all(regular.map(({ name }) => readFile(join(directory, name), "base64")));
  return Object.fromEntries(regular.map(({ name }, i) => [name, contents[i] ?? ""]));
}

/** Every way to open a journal. */
const openings: readonly ((store: Store) => Promise<unknown>)[] = [
  (store) => store.open(),
  (store) => store.migrate({ dryRun: false }),
  (store) => store.migrate({ dryRun: true }),
];

/** Reason and message of a refusal. */
async function refusal(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.catch((caught: unknown) => caught);
  if (!(error instanceof TapeError)) throw new TypeError(`expected a refusal, got ${String(error)}`);
  return `${error.reason}: ${error.message}`;
}

/** A rollback journal of SQLite's (https://www.sqlite.org/fileformat.html, 3) that says: the file had no page before. */
function rollbackToNothing(): Buffer {
  const sector = Buffer.alloc(512);
  Buffer.from("d9d505f920a163d7", "hex").copy(sector);
  sector.writeUInt32BE(512, 20);
  sector.writeUInt32BE(4096, 24);
  return sector;
}

it("begins anew where the power failed while the file was being made", async () => {
  await writeFile(path, Buffer.concat([Buffer.alloc(512), Buffer.alloc(3584, 7)]));
  await writeFile(`${path}-journal`, rollbackToNothing());
  const store = sqliteFileStore({ path });
  await store.migrate({ dryRun: false });
  expect(await store.append([appendTo("a", 0)])).toMatchObject([{ kind: "committed" }]);
  await store.close();
});

describe("a path that cannot hold a journal", () => {
  it.each<[string, () => Promise<string>, RegExp]>([
    ["a directory", async () => directory, /it is a directory; name a file$/],
    [
      "below a directory that does not exist",
      async () => join(directory, "no", "tape.db"),
      /create it or choose another path$/,
    ],
    [
      "below a file",
      async () => {
        await writeFile(join(directory, "file"), "text");
        return join(directory, "file", "tape.db");
      },
      /cannot hold a journal/,
    ],
    [
      "a text file",
      async () => {
        await writeFile(path, "This is no database, but it is longer than a hundred bytes. ".repeat(9));
        return path;
      },
      /not a SQLite database; choose another path, this file was left as it is$/,
    ],
    [
      "a short file",
      async () => {
        await writeFile(path, "x");
        return path;
      },
      /not a SQLite database/,
    ],
    [
      "another application's database",
      async () => {
        await sql(path, "create table customers (name)", "insert into customers values ('Ada')");
        return path;
      },
      /the database of another application; choose another path, this file was left as it is$/,
    ],
    [
      "another application's database in WAL mode",
      async () => {
        await sql(path, "pragma journal_mode = wal", "create table customers (name)");
        return path;
      },
      /the database of another application/,
    ],
    [
      "a database with another application id",
      async () => {
        await sql(path, "pragma application_id = 77", "create table t (x)");
        return path;
      },
      /the database of another application/,
    ],
    [
      "a link to a device",
      async () => {
        await symlink("/dev/null", path);
        return path;
      },
      /not a regular file/,
    ],
  ])("%s", async (_, prepare, message) => {
    const place = await prepare();
    const before = await snapshot();
    for (const call of openings) {
      const said = await refusal(call(storeAt(place)));
      expect(said).toMatch(/^STORE_NOT_USABLE: .*$/);
      expect(said).toMatch(message);
    }
    expect(await snapshot()).toEqual(before);
  });

  it("where nothing can be written", async () => {
    expect(await refusal(storeAt("/proc/tape.db").migrate({ dryRun: false }))).toMatch(
      /^STORE_NOT_USABLE: .*(cannot be written|cannot be opened or created)/,
    );
  });

  it("another application's database while that has it open", async () => {
    const other = await openSqlite(path, { readOnly: false });
    other.exec("pragma journal_mode = wal; create table customers (name)");
    expect(await refusal(storeAt(path).migrate({ dryRun: false }))).toMatch(/^STORE_NOT_USABLE: .*another application/);
    other.exec("insert into customers values ('Ada')");
    other.close();
  });
});

describe("open", () => {
  const tooNew = /^FORMAT_NEWER: .*has format 9, this version of Tape reads up to 1; upgrade Tape$/;
  it("makes nothing where there is nothing", async () => {
    expect(await refusal(storeAt(path).open())).toMatch(
      /^MIGRATION_PENDING: .*tape\.db is not ready: 1 migration step is pending; run `tape migrate`$/,
    );
    expect(await readdir(directory)).toEqual([]);
  });

  it("makes nothing of an empty file", async () => {
    await writeFile(path, "");
    expect(await refusal(storeAt(path).open())).toMatch(/^MIGRATION_PENDING: .*not ready/);
    expect(await snapshot()).toEqual({ "tape.db": "" });
  });

  it("refuses a newer format, untouched", async () => {
    await (await journalAt(path)).close();
    const newer = join(directory, "newer.db");
    const bytes = await readFile(path);
    bytes.writeUInt32BE(9, 60);
    await writeFile(newer, bytes);
    const before = await snapshot();
    for (const call of openings) expect(await refusal(call(storeAt(newer)))).toMatch(tooNew);
    expect(await snapshot()).toEqual(before);
  });

  it("refuses a newer format while a newer server has it open", async () => {
    await (await journalAt(path)).close();
    const other = await openConnection({ path, readOnly: false, busyTimeoutMs: 1000 });
    other.exec("insert into tape_migrations values (9, 'later', 'x', 'then'); pragma user_version = 9");
    const before = await snapshot();
    for (const call of openings) expect(await refusal(call(storeAt(path)))).toMatch(tooNew);
    expect((await snapshot())["tape.db"]).toBe(before["tape.db"]);
    other.close();
  });

  it("refuses a journal that another build migrated otherwise", async () => {
    await (await journalAt(path)).close();
    await sql(path, "update tape_migrations set checksum = 'other'");
    expect(await refusal(storeAt(path).open())).toMatch(/^STORE_NOT_USABLE: .*migrated by another build/);
  });

  it("says when the file is damaged", async () => {
    const store = await journalAt(path);
    await store.append([appendTo("a", 0)]);
    await store.close();
    const bytes = await readFile(path);
    bytes.fill(0xee, 4096);
    await rm(`${path}-wal`, { force: true });
    await writeFile(path, bytes);
    expect(await refusal(storeAt(path).open())).toMatch(
      /^STORE_CORRUPT: .*the file is damaged; restore it from a backup$/,
    );
  });
});

describe("migrate", () => {
  it("dry: lists the steps and creates nothing", async () => {
    const report = await storeAt(path).migrate({ dryRun: true });
    expect(report).toMatchObject({ dryRun: true, steps: [{ id: 1, name: "journal" }] });
    expect(report.steps[0]?.statements).toContain("create table tape_rows");
    expect(await readdir(directory)).toEqual([]);
  });

  it("dry: leaves a journal as it is, closed or in use", async () => {
    const store = await journalAt(path);
    expect((await storeAt(path).migrate({ dryRun: true })).steps).toEqual([]);
    await store.append([appendTo("a", 0)]);
    await store.close();
    const copy = join(directory, "copy.db");
    await copyFile(path, copy);
    const before = await snapshot();
    expect((await storeAt(copy).migrate({ dryRun: true })).steps).toEqual([]);
    expect(await snapshot()).toEqual(before);
  });

  it("makes a database without tables, and an empty file, a journal", async () => {
    await sql(path, "vacuum");
    const empty = join(directory, "empty.db");
    await writeFile(empty, "");
    for (const file of [path, empty]) {
      const { steps } = await storeAt(file).migrate({ dryRun: false });
      expect(steps.map(({ id }) => id)).toEqual([1]);
    }
  });

  it("marks the file, so that other programs can tell what it is", async () => {
    await (await journalAt(path)).close();
    const bytes = await readFile(path);
    expect(bytes.readUInt32BE(68)).toBe(applicationId);
    expect(bytes.readUInt32BE(60)).toBe(1);
  });

  it("goes on where a crash between two steps of making a journal left it", async () => {
    const database = await openSqlite(path, { readOnly: false });
    database.exec("pragma journal_mode = wal");
    expect((await storeAt(path).migrate({ dryRun: false })).steps).toHaveLength(1);
    database.close();
  });

  it("is done once when eight processes start together", { timeout: 60_000 }, async () => {
    const program = `
      const { createStore } = await import(process.argv[1]);
      const store = await createStore(process.argv[2]);
      const { steps } = await store.migrate({ dryRun: false });
      const [outcome] = await store.append([JSON.parse(process.argv[3], (key, value) =>
        key === "head" ? new TextEncoder().encode(value) : value)]);
      console.log(JSON.stringify({ steps: steps.length, kind: outcome.kind }));
      await store.close();`;
    const module = new URL("../../../dist/store/open-store.js", import.meta.url).href;
    const results = await Promise.all(
      upTo(8).map(async (i) => {
        const append = JSON.stringify({ ...appendTo(`row-${i}`, 0), head: "{}" });
        const argv = ["--input-type=module", "-e", program, module, `sqlite:${path}`, append];
        const { stdout } = await promisify(execFile)(process.execPath, argv);
        return JSON.parse(stdout) as { readonly steps: number; readonly kind: string };
      }),
    );
    expect(results.map(({ kind }) => kind)).toEqual(upTo(8).map(() => "committed"));
    expect(results.reduce((sum, { steps }) => sum + steps, 0)).toBe(1);
    const store = await journalAt(path);
    expect((await store.tail({ after: 0, limit: 99 })).entries).toHaveLength(8);
  });
});

describe("a journal in use", () => {
  it.each([false, true])(
    "every connection has the settings that durability rests on (read-only: %s)",
    async (readOnly) => {
      await (await journalAt(path)).close();
      const database = await openConnection({ path, readOnly, busyTimeoutMs: 1234 });
      expect(pragma(database, "journal_mode")).toBe("wal");
      expect(pragma(database, "synchronous")).toBe(2);
      expect(pragma(database, "busy_timeout", "timeout")).toBe(1234);
      database.close();
    },
  );

  it("is unavailable for writing while another process keeps the lock, and readable all the time", async () => {
    await (await journalAt(path)).close();
    const store = storeAt(path, 50);
    await store.open();
    await store.append([appendTo("a", 0)]);
    const other = await openSqlite(path, { readOnly: false });
    other.exec("begin immediate");
    expect(await refusal(store.append([appendTo("a", 1)]))).toMatch(
      /^STORE_UNAVAILABLE: .*another process keeps the file locked; try again, or stop it$/,
    );
    expect((await store.read(rowId("a")))?.version).toBe(1);
    other.exec("rollback");
    other.close();
    expect(await store.append([appendTo("a", 1)])).toMatchObject([{ kind: "committed" }]);
  });

  it("has everything in the file itself once it is closed", async () => {
    const store = await journalAt(path);
    for (const version of upTo(5)) await store.append([appendTo("a", version)]);
    await store.close();
    const alone = join(directory, "alone.db");
    await copyFile(path, alone);
    const copy = storeAt(alone);
    await copy.open();
    expect((await copy.read(rowId("a")))?.entries).toHaveLength(5);
  });

  it("can be moved while it is closed, and opened by a relative path", async () => {
    const store = await journalAt(path);
    await store.append([appendTo("a", 0)]);
    await store.close();
    await mkdir(join(directory, "elsewhere"));
    await copyFile(path, join(directory, "elsewhere", "moved.db"));
    const moved = storeAt(join(directory, "..", directory.split("/").at(-1) ?? "", "elsewhere", "moved.db"));
    await moved.open();
    expect((await moved.read(rowId("a")))?.version).toBe(1);
  });

  it("does not keep a process alive that forgets to close it", async () => {
    const program = `
      const { createStore } = await import(process.argv[1]);
      const store = await createStore(process.argv[2]);
      await store.migrate({ dryRun: false });
      store.wake({ signal: new AbortController().signal });
      console.log("done");`;
    const module = new URL("../../../dist/store/open-store.js", import.meta.url).href;
    const argv = ["--input-type=module", "-e", program, module, `sqlite:${path}`];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 15_000 });
    expect(stdout).toBe("done\n");
  });

  it("names the row that cannot be read", async () => {
    const store = await journalAt(path);
    const rows = upTo(40).map((i) => `row-${i}`);
    await store.append(rows.map((row) => appendTo(row, 0, { entries: [entry(1, { body: new Uint8Array(1000) })] })));
    await store.close();
    const bytes = await readFile(path);
    bytes.fill(0xee, bytes.length - 4 * 4096);
    const damaged = join(directory, "damaged.db");
    await writeFile(damaged, bytes);
    const copy = storeAt(damaged);
    await copy.open();
    const said = await Promise.all(rows.map((row) => refusal(copy.read(rowId(row))).catch(() => "fine")));
    expect(said.filter((one) => one !== "fine").length).toBeGreaterThan(0);
    for (const [i, one] of said.entries()) {
      expect([
        "fine",
        `STORE_CORRUPT: reading row row-${i} of ${damaged} failed: the file is damaged; restore it from a backup`,
      ]).toContain(one);
    }
  });

  it("an operation before open is refused", async () => {
    expect(await refusal(storeAt(path).read(rowId("a")))).toMatch(
      /^STORE_NOT_USABLE: .*call open\(\) or migrate\(\) first$/,
    );
  });
});
