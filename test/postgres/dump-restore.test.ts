import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { FeedEntry, Store } from "../../src/store/store.ts";
import { appendTo, commit, entry, feedOf, grow, namesOf, rowOf, upTo } from "../../src/testing/test-store/material.ts";
import { findPostgres, type PostgresInstallation } from "./find-postgres.ts";
import { ask } from "./foreign-session.ts";
import { startPostgres, type PostgresServer } from "./postgres-server.ts";
import { serverAccount, serverEnvironment } from "./server-account.ts";
import { describePostgres } from "./shared-server.ts";
import { run } from "./tape-process.ts";

/** What is needed for dumping: the programs must be of the server's version. */
interface Dumper {
  readonly installation: PostgresInstallation;
  readonly dump: string;
  readonly restore: string;
  readonly psql: string;
}

function findDumper(): Dumper | undefined {
  for (const installation of findPostgres()) {
    const [dump, restore, psql] = (["pg_dump", "pg_restore", "psql"] as const).map((name) => installation.tools(name));
    if (dump !== undefined && restore !== undefined && psql !== undefined) return { installation, dump, restore, psql };
  }
  return undefined;
}

const missing = "pg_dump, pg_restore and psql of a PostgreSQL server are not installed: `apt-get install postgresql`";

/** Far above what a new cluster gives its first transactions. */
const highEpoch = 3;

function numberedHigh({ installation }: Dumper): (dataFolder: string) => Promise<void> {
  return async (dataFolder) => {
    const program = join(installation.bin, "pg_resetwal");
    const options = {
      ...serverAccount(installation.bin),
      env: serverEnvironment(),
      cwd: "/",
      encoding: "utf8",
    } as const;
    const { status, stderr } = spawnSync(program, ["--epoch", String(highEpoch), "--pgdata", dataFolder], options);
    if (status !== 0) throw new Error(stderr);
  };
}

async function ok(program: string, args: readonly string[], input?: string): Promise<string> {
  const { code, out, err } = await run(program, args, input);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

function storeAt(url: string, warnings: string[] = []): Store {
  const observer = { gauge: () => undefined, warn: (line: string) => void warnings.push(line) };
  const store = postgresStore(url, { observer });
  onTestFinished(() => store.close());
  return store;
}

async function opened(url: string, warnings?: string[]): Promise<Store> {
  const store = storeAt(url, warnings);
  await store.open();
  return store;
}

/** Rows with entries, and one whose entries were the last ones and are all gone. */
async function write(store: Store): Promise<readonly FeedEntry[]> {
  await grow(store, "a", 3);
  await grow(store, "b", 2);
  await grow(store, "trimmed", 4);
  await commit(store, appendTo("trimmed", 4, { entries: [], trimBelow: 5 }));
  return feedOf(store, 5);
}

describePostgres("a journal that has moved", () => {
  const dumper = findDumper();
  if (dumper !== undefined) return moves(dumper);
  return it("has what it needs", ({ skip }) => {
    skip(process.env["CI"] !== "true", missing);
    expect.fail(missing);
  });
});

function moves(dumper: Dumper): void {
  const { installation, dump, restore, psql } = dumper;
  const running: PostgresServer[] = [];
  let old: PostgresServer;
  let young: PostgresServer;
  beforeAll(async () => {
    old = await startPostgres({ installation, prepare: numberedHigh(dumper) });
    running.push(old);
    young = await startPostgres({ installation });
    running.push(young);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(running.map((server) => server.stop()));
  });

  let databases = 0;
  const newDatabase = async (server: PostgresServer): Promise<string> => {
    databases += 1;
    const database = `journal_${databases}`;
    await ask(server.url(), `create database ${database}`);
    return server.url({ database });
  };
  const copies: Readonly<Record<string, (from: string, to: string) => Promise<unknown>>> = {
    psql: async (from, to) =>
      ok(
        psql,
        ["--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-1", "-d", to, "-o", "/dev/null"],
        await ok(dump, [from]),
      ),
    "pg_restore, by several jobs": async (from, to) => {
      const folder = join(old.socketFolder, `dump-${databases}`);
      await ok(dump, ["--format=directory", "--file", folder, from]);
      await ok(restore, ["--jobs=3", "--exit-on-error", "--dbname", to, folder]);
    },
  };
  const numberOf = async (url: string): Promise<number> =>
    Number((await ask(url, "select pg_current_xact_id()::text as n"))[0]?.["n"]);
  const baseOf = async (url: string): Promise<unknown> =>
    (await ask(url, "select value from tape_meta where name = 'feed'"))[0]?.["value"];

  describe.each(Object.entries(copies))("with pg_dump and %s", (_, copy) => {
    it.each(["a new cluster, whose numbers are lower", "another database of the same cluster"])(
      "into %s goes on above all positions that were ever given",
      async (where) => {
        const from = await newDatabase(old);
        const before = storeAt(from);
        await before.migrate({ dryRun: false });
        const kept = await write(before);
        const isNew = where.startsWith("a new");
        const to = await newDatabase(isNew ? young : old);
        await copy(from, to);
        const [lost = 0] = await commit(before, appendTo("after the dump", 0));
        expect((await numberOf(to)) < (await numberOf(from)) / 2).toBe(isNew);

        // Of several that open it together one raises the base.
        const warnings: string[] = [];
        const stores = await Promise.all(upTo(4).map(() => opened(to, warnings)));
        expect(warnings.filter((line) => line.includes("has come from another database"))).toHaveLength(1);
        const [store, other] = stores;
        if (store === undefined || other === undefined) return;
        const base = await baseOf(to);
        expect(await feedOf(store, kept.length)).toEqual(kept);
        const [next = 0] = await commit(store, appendTo("a", 3));
        expect(next).toBeGreaterThan(lost);
        expect(Number.isSafeInteger(next * 64)).toBe(true);
        const [last = 0] = await commit(other, appendTo("after the dump", 0));
        expect(last).toBeGreaterThan(next);
        expect(namesOf(await feedOf(other, 2, lost))).toEqual(["a:4", "after the dump:1"]);
        expect(namesOf(await feedOf(other, kept.length + 2))).toEqual([...namesOf(kept), "a:4", "after the dump:1"]);
        expect((await rowOf(store, "trimmed")).version).toBe(5);
        await opened(to);
        expect(await baseOf(to)).toBe(base);
        // The one that it was copied from is not touched.
        expect((await commit(before, appendTo("b", 2)))[0]).toBeGreaterThan(lost);
      },
    );
  });

  const byPsql = copies["psql"];

  it("knows how high positions were when no entry is left to tell", async () => {
    const from = await newDatabase(old);
    const before = storeAt(from);
    await before.migrate({ dryRun: false });
    const [given = 0] = await commit(before, appendTo("row", 0));
    await commit(before, appendTo("row", 1, { entries: [], trimBelow: 2 }));
    const to = await newDatabase(young);
    await byPsql?.(from, to);
    const [next = 0] = await commit(await opened(to), appendTo("row", 2, { entries: [entry(2)] }));
    expect(next).toBeGreaterThan(given);
    expect(given).toBeGreaterThan(highEpoch * 2 ** 44);
  });

  it("may move again and again, back too", async () => {
    const servers = [old, young, old, young];
    let url = await newDatabase(young);
    await storeAt(url).migrate({ dryRun: false });
    const positions = await commit(await opened(url), appendTo("row", 0));
    const all = [...positions];
    for (const [i, server] of servers.entries()) {
      const to = await newDatabase(server);
      await byPsql?.(url, to);
      url = to;
      all.push(...(await commit(await opened(url), appendTo("row", i + 1))));
    }
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect((await feedOf(await opened(url), all.length)).map(({ position }) => position)).toEqual(all);
  });

  it("is known by the server's name too, should the numbers be the same by chance", async () => {
    const url = await newDatabase(young);
    const before = storeAt(url);
    await before.migrate({ dryRun: false });
    const [given = 0] = await commit(before, appendTo("row", 0));
    await before.close();
    const base = await baseOf(url);
    await (await opened(url)).close();
    expect(await baseOf(url)).toBe(base);
    await ask(url, "update tape_meta set value = '4711' where name = 'cluster'");
    expect((await commit(await opened(url), appendTo("row", 1)))[0]).toBeGreaterThan(given + 2 ** 42);
    const [cluster] = await ask(url, "select system_identifier::text as value from pg_control_system()");
    expect(await ask(url, "select value from tape_meta where name = 'cluster'")).toEqual([cluster]);
  });

  it("is noticed by servers that run while it is put in place of theirs", async () => {
    const url = await newDatabase(old);
    await storeAt(url).migrate({ dryRun: false });
    const warnings: string[] = [];
    const [writer, reader] = [await opened(url, warnings), await opened(url, warnings)];
    const kept = await write(writer);
    const saved = await ok(dump, [url]);
    const replace = async (): Promise<void> => {
      await ask(url, "drop schema public cascade; create schema public");
      await ok(psql, ["--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-d", url, "-o", "/dev/null"], saved);
    };
    const [lost = 0] = await commit(writer, appendTo("a", 3));

    await replace();
    // Whoever appends first.
    expect(await writer.append([appendTo("a", 4)])).toEqual([{ kind: "conflict", version: 3 }]);
    const [again = 0] = await commit(writer, appendTo("a", 3));
    expect(again).toBeGreaterThan(lost);
    expect(namesOf(await feedOf(reader, 1, lost))).toEqual(["a:4"]);

    await replace();
    // Whoever reads the feed first.
    expect(await feedOf(reader, kept.length)).toEqual(kept);
    const [last = 0] = await commit(writer, appendTo("b", 2));
    expect(last).toBeGreaterThan(lost);
    const moved = warnings.filter((line) => !line.includes("fsync"));
    expect(moved).toHaveLength(2);
    for (const line of moved) {
      expect(line).toMatch(
        /^the journal in schema "public" of .* has come from another database: its feed positions were raised, so that they go on rising$/,
      );
    }
  });
}
