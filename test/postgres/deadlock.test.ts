import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createStore } from "../../src/store/open-store.ts";
import type { Append, AppendOutcome, Store } from "../../src/store/store.ts";
import { appendTo, commit, refused, rowId, upTo } from "../../src/testing/test-store/material.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { openSession, query, until } from "./server-faults.ts";
import { describePostgres } from "./shared-server.ts";

const timeout = 60_000;
const rowCount = 30;
const rounds = 25;

describePostgres("PostgreSQL, transactions in each other's way", () => {
  let server: PostgresServer;
  const stores: Store[] = [];

  beforeAll(async () => {
    // A circle is found at once, so that one that happens is counted and not only waited for.
    server = await startPostgres({ settings: { deadlock_timeout: "5ms", wal_writer_delay: "10s" } });
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await query(server.url(), "alter database postgres reset default_transaction_isolation");
  });

  const newPlace = async (parameters: Record<string, string> = {}): Promise<string> => {
    const schema = `s${randomUUID().replaceAll("-", "")}`;
    await query(server.url(), `create schema ${schema}`);
    return server.url({ params: { schema, application_name: schema, ...parameters } });
  };
  const open = async (url: string): Promise<Store> => {
    const store = await createStore(url);
    stores.push(store);
    await store.migrate({ dryRun: false });
    return store;
  };
  /** Of a place: appends that wait for a lock. */
  const waiting = async (url: string): Promise<number> => {
    const name = new URL(url).searchParams.get("application_name") ?? "";
    const sql = `select from pg_stat_activity where application_name = '${name}' and wait_event_type = 'Lock'`;
    return (await query(server.url(), sql)).length;
  };

  /** Batches of all stores at once, each with other rows in another order, all of which cannot win. */
  const clash = async (url: string): Promise<void> => {
    const all = [await open(url), await open(url), await open(url)];
    const versions = new Map<string, number>();
    for (let round = 0; round < rounds; round += 1) {
      const batches = all.flatMap((store) =>
        upTo(4).map(() => ({ store, batch: someRows(round).map((row) => appendTo(row, versions.get(row) ?? 0)) })),
      );
      const outcomes = await Promise.all(batches.map(({ store, batch }) => store.append(batch)));
      const winners = winnersOf(
        batches.map(({ batch }) => batch),
        outcomes,
      );
      for (const [row, won] of winners) {
        expect([row, won]).toEqual([row, 1]);
        versions.set(row, (versions.get(row) ?? 0) + 1);
      }
    }
    const [store] = all;
    for (const [row, version] of versions) {
      const slice = await store?.read(rowId(row));
      expect([slice?.version, slice?.entries.length]).toEqual([version, version]);
    }
  };

  it("two servers never wait for each other in a circle", { timeout }, async () => {
    await clash(await newPlace());
    for (const store of stores.splice(0)) await store.close();
    expect(server.log()).not.toContain("deadlock detected");
    const [[deadlocks] = []] = await query(server.url(), "select sum(deadlocks)::int from pg_stat_database");
    expect(deadlocks).toBe(0);
  });

  describe.each(["repeatable read", "serializable"])("under %s by default", (isolation) => {
    const urls = [
      ["a plain URL", {}],
      ["a pooler's URL", { pgbouncer: "true" }],
    ] as const;
    it.each(urls)("every row has one winner: %s", { timeout }, async (_what, parameters) => {
      await query(server.url(), `alter database postgres set default_transaction_isolation = '${isolation}'`);
      const url = await newPlace(parameters);
      expect(await query(server.url(), "show default_transaction_isolation")).toEqual([[isolation]]);
      await clash(url);
    });
  });

  it("waits for a row that another session holds", async () => {
    const url = await newPlace();
    const store = await open(url);
    await commit(store, appendTo("a", 0), appendTo("b", 0));
    const holder = await hold(url, "a");
    const append = store.append([appendTo("a", 1), appendTo("b", 1), appendTo("c", 0)]);
    await until("waiting", async () => (await waiting(url)) > 0);
    await holder.end();
    expect(await append).toMatchObject([{ kind: "committed" }, { kind: "committed" }, { kind: "committed" }]);
  });

  it("gives up after statement_timeout, and has written nothing", async () => {
    const url = await newPlace({ statement_timeout: "300" });
    const store = await open(url);
    await commit(store, appendTo("a", 0), appendTo("b", 0));
    const holder = await hold(url, "a");
    const batch = [appendTo("a", 1), appendTo("b", 1), appendTo("c", 0)];
    await refused(store.append(batch), "STORE_UNAVAILABLE", "an append behind a lock");
    await holder.end();
    expect(await store.append(batch)).toMatchObject(batch.map(() => ({ kind: "committed" })));
  });

  it("has flushed what it acknowledges, also where synchronous_commit is off", { timeout }, async () => {
    await query(server.url(), "create role hasty superuser login; alter role hasty set synchronous_commit = off");
    const place = new URL(await newPlace({ listen: "false" }));
    place.username = "hasty";
    const store = await open(place.href);
    const session = await openSession(place.href);
    const flushed = async (lsn: unknown): Promise<boolean> =>
      (
        await session.query<unknown[]>({
          text: "select pg_current_wal_flush_lsn() >= $1",
          values: [lsn],
          rowMode: "array",
        })
      ).rows[0]?.[0] === true;
    await session.query("create table noise (n int)");
    let conclusive = 0;
    for (const n of upTo(50)) {
      // A commit that is not waited for; the append, coming later in the log, must flush it too.
      await session.query("insert into noise values (1)");
      const { rows } = await session.query<unknown[]>({ text: "select pg_current_wal_insert_lsn()", rowMode: "array" });
      const lsn = rows[0]?.[0];
      if (!(await flushed(lsn))) conclusive += 1;
      await commit(store, appendTo(`r${n}`, 0));
      expect(await flushed(lsn)).toBe(true);
    }
    await session.end();
    expect(conclusive).toBeGreaterThan(10);
  });
});

/** Of old rows and of this round's new ones, in any order. */
const someRows = (round: number): readonly string[] =>
  [...upTo(rowCount).map((n) => `old/${n}`), ...upTo(rowCount / 3).map((n) => `new/${round}-${n}`)]
    .filter(() => Math.random() < 0.6)
    .toSorted(() => Math.random() - 0.5);

function winnersOf(
  batches: readonly (readonly Append[])[],
  outcomes: readonly (readonly AppendOutcome[])[],
): ReadonlyMap<string, number> {
  const winners = new Map<string, number>();
  for (const [b, batch] of batches.entries()) {
    for (const [i, { row }] of batch.entries()) {
      const kind = outcomes[b]?.[i]?.kind;
      expect(["committed", "conflict"]).toContain(kind);
      winners.set(row, (winners.get(row) ?? 0) + (kind === "committed" ? 1 : 0));
    }
  }
  return winners;
}

/** A foreign session that has locked a row. */
async function hold(url: string, row: string): Promise<{ end(): Promise<void> }> {
  const schema = new URL(url).searchParams.get("schema") ?? "";
  const session = await openSession(url);
  await session.query("begin");
  await session.query(`select from ${schema}.tape_rows where row = '${row}' for update`);
  return { end: () => session.end() };
}
