import { EventEmitter, once } from "node:events";
import type { Client } from "pg";
import { expect, it, onTestFinished } from "vitest";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { Store } from "../../src/store/store.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { appendTo, commit, feedOf, namesOf, upTo, within } from "../../src/testing/test-store/material.ts";
import { foreignSession } from "./foreign-session.ts";
import { describePostgres, newSchema, type Schema } from "./shared-server.ts";
import { eventually } from "../eventually.ts";

/** Long enough for a machine that is busy with other tests. */
const patientMs = 30_000;

async function journal(): Promise<Schema & { readonly open: (parameters?: string) => Promise<Store> }> {
  const schema = await newSchema();
  onTestFinished(() => schema.drop());
  const open = async (parameters = ""): Promise<Store> => {
    const store = postgresStore(`${schema.url}${parameters}`);
    onTestFinished(() => store.close());
    await store.migrate({ dryRun: false });
    return store;
  };
  return { ...schema, open };
}

/** A transaction that has a number, which others that commit later are above. */
async function heldTransaction(url: string): Promise<Client> {
  const session = await foreignSession(url);
  await session.query("begin; select pg_current_xact_id()");
  return session;
}

/** Keeps appends to a row waiting, behind their number and before they are written. */
async function lockRow(session: Client, schema: string, row: string): Promise<void> {
  await session.query("begin");
  await session.query(`select from ${schema}.tape_rows where row = $1 for update`, [row]);
}

async function follow(store: Store, count: number, limit: number): Promise<readonly string[]> {
  const listening = new AbortController();
  const seen: string[] = [];
  let cursor = 0;
  try {
    const hints = store.wake({ signal: listening.signal })[Symbol.asyncIterator]();
    while (seen.length < count) {
      const page = await store.tail({ after: cursor, limit });
      for (const { position, row, seq } of page.entries) {
        expect(position).toBeGreaterThan(cursor);
        cursor = position;
        seen.push(`${position} ${row}:${seq}`);
      }
      expect(page.next).toBeGreaterThanOrEqual(cursor);
      cursor = page.next;
      if (page.entries.length === 0) await within(patientMs, `a hint behind ${seen.length} of ${count}`, hints.next());
    }
    return seen;
  } finally {
    listening.abort();
  }
}

describePostgres("the feed", () => {
  it("is the same for all who follow it, whole and in order, however commits are paused between their steps", async () => {
    const { name, directUrl, open } = await journal();
    const stores = await Promise.all(upTo(6).map((i) => open(i % 2 === 0 ? "" : "&listen=false")));
    const rows = upTo(12).map((i) => `row-${i}`);
    const versions = 12;
    const [first] = stores;
    if (first === undefined) return;
    await commit(first, ...rows.map((row) => appendTo(row, 0)));

    const total = rows.length * versions;
    const followers = stores.map((store, i) =>
      within(60_000, "following", follow(store, total, [1, 3, 100][i % 3] ?? 1)),
    );
    const commits = new EventEmitter();
    const progress = { done: 0 };
    const unfinished = new Set(rows);
    const write = async (row: string, i: number): Promise<void> => {
      const store = stores[i % stores.length] ?? first;
      for (let version = 1; version < versions; version += 1) {
        await commit(store, appendTo(row, version));
        progress.done += 1;
        if (version === versions - 1) unfinished.delete(row);
        commits.emit("commit");
      }
    };
    const sessions = await Promise.all(upTo(4).map(() => foreignSession(directUrl)));
    const pauseSome = async (): Promise<void> => {
      const random = seededRandom(7);
      while (unfinished.size > 0) {
        const held = new Set<string>();
        for (const session of sessions) {
          const row = random.pick(rows);
          if (held.has(row)) await session.query("begin; select pg_current_xact_id()");
          else await lockRow(session, name, row);
          held.add(row);
        }
        const until = progress.done + 12;
        while (progress.done < until && [...unfinished].some((row) => !held.has(row))) await once(commits, "commit");
        for (const session of sessions) await session.query(random.chance(0.5) ? "commit" : "rollback");
      }
    };
    await Promise.all([...rows.map(write), pauseSome()]);

    const [order = [], ...others] = await Promise.all(followers);
    expect(new Set(order).size).toBe(total);
    for (const other of others) expect(other).toEqual(order);
    const again = await feedOf(first, total);
    expect(again.map(({ position, row, seq }) => `${position} ${row}:${seq}`)).toEqual(order);
    for (const row of rows) {
      const ofRow = namesOf(again.filter((entry) => entry.row === row));
      expect(ofRow).toEqual(upTo(versions).map((i) => `${row}:${i + 1}`));
    }
  }, 90_000);

  it("an append that waits for a lock holds back what commits after it got its number", async () => {
    const { name, directUrl, open } = await journal();
    const [store, other] = await Promise.all([open(), open()]);
    await commit(store, appendTo("a", 0), appendTo("b", 0));
    const next = (await feedOf(store, 2)).at(-1)?.position ?? 0;
    const session = await foreignSession(directUrl);
    await lockRow(session, name, "a");
    const waiting = commit(store, appendTo("a", 1));
    const watcher = await foreignSession(directUrl);
    await eventually(async () => {
      const { rows } = await watcher.query(
        "select from pg_stat_activity where backend_xid is not null and pg_blocking_pids(pid) @> array[$1::int]",
        [(await session.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid],
      );
      expect(rows).toHaveLength(1);
    });
    const [late = 0] = await commit(other, appendTo("b", 1));
    expect(await other.tail({ after: next, limit: 10 })).toEqual({ entries: [], next });
    await session.query("commit");
    const [early = 0] = await waiting;
    expect(early).toBeLessThan(late);
    expect(namesOf(await feedOf(other, 2, next))).toEqual(["a:2", "b:2"]);
  });

  it.each(["", "&listen=false"])(
    "whoever waits is woken when the transaction in the way ends, though nobody commits%s",
    async (parameters) => {
      const { directUrl, open } = await journal();
      const [store, follower] = await Promise.all([open(parameters), open(parameters)]);
      await commit(store, appendTo("row", 0));
      await feedOf(follower, 1);
      const held = await heldTransaction(directUrl);
      await commit(store, appendTo("row", 1));
      const following = follow(follower, 2, 10);
      const { next } = await follower.tail({ after: 0, limit: 10 });
      // Somebody else who reads on, page by page, must not take the wake-up away.
      expect((await follower.tail({ after: 0, limit: 1 })).entries).toHaveLength(1);
      expect((await follower.tail({ after: next, limit: 10 })).entries).toEqual([]);
      expect((await follower.tail({ after: 0, limit: 1 })).entries).toHaveLength(1);
      await held.query("rollback");
      expect(await within(patientMs, "the rest of the feed", following)).toHaveLength(2);
    },
  );

  it("a transaction that only reads, however old, holds nothing back", async () => {
    const { directUrl, open } = await journal();
    const store = await open();
    const session = await foreignSession(directUrl);
    await session.query("begin isolation level repeatable read");
    await session.query("select count(*) from pg_class");
    await commit(store, appendTo("row", 0));
    expect(namesOf(await feedOf(store, 1))).toEqual(["row:1"]);
    await session.query("commit");
  });
});
