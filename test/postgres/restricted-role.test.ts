import { setMaxListeners } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { Store } from "../../src/store/store.ts";
import {
  appendTo,
  commit,
  conflicts,
  entry,
  feedOf,
  keysOf,
  refused,
  rowOf,
  within,
} from "../../src/testing/test-store/material.ts";
import { findPostgres } from "./find-postgres.ts";
import { ask } from "./foreign-session.ts";
import { describePostgres, newSchema, type Schema, type SharedPostgres } from "./shared-server.ts";
import { run, runTape } from "./tape-process.ts";

/** A schema of the superuser's, and a role that may connect and nothing else. */
interface Restricted {
  readonly schema: Schema;
  readonly role: string;
  readonly url: string;
}

async function restricted(): Promise<Restricted> {
  const schema = await newSchema();
  const role = `role "${schema.name}"`;
  const quoted = `"${role.replaceAll('"', '""')}"`;
  await ask(schema.directUrl, `create role ${quoted} login`);
  onTestFinished(async () => {
    await schema.drop();
    await ask(schema.directUrl, `drop owned by ${quoted}; drop role ${quoted}`);
  });
  return { schema, role, url: schema.url.replace("postgres@", `${encodeURIComponent(role)}@`) };
}

function opened(url: string): Store {
  const store = postgresStore(url);
  onTestFinished(() => store.close());
  return store;
}

async function script(url: string): Promise<string> {
  const { code, out, err } = await runTape(["migrate", "--dry-run", "--sql", "--store", url]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

/** Everything that a store is asked to do. */
async function useAll(store: Store): Promise<void> {
  const key = { index: "i", key: "1" };
  const [first = 0] = await commit(store, appendTo("row", 0, { add: [key] }));
  await conflicts(store, appendTo("row", 0), 1);
  await commit(store, appendTo("row", 1, { remove: [key], add: [{ index: "i", key: "2" }], trimBelow: 2 }));
  expect(await keysOf(store, "i")).toEqual(["2>row"]);
  expect((await rowOf(store, "row")).entries).toHaveLength(1);
  expect(await feedOf(store, 1, first)).toHaveLength(1);
  const listening = new AbortController();
  setMaxListeners(0, listening.signal);
  const hints = store.wake({ signal: listening.signal })[Symbol.asyncIterator]();
  const hint = hints.next();
  await commit(store, appendTo("row", 2, { entries: [entry(3)] }));
  await within(30_000, "the hint", hint);
  listening.abort();
}

describePostgres("a role that may not create tables", ({ directUrl }: SharedPostgres) => {
  it("is told what to do, and what is handed over suffices for everything, a move to another database too", async () => {
    const { schema, url } = await restricted();
    const before = opened(url);
    await refused(before.open(), "MIGRATION_PENDING", "opening");
    await expect(before.migrate({ dryRun: false })).rejects.toThrow(
      /^the journal in schema "test_\w+" of database "postgres" at \S+ cannot be made: this role may not create tables there; hand the output of `tape migrate --dry-run --sql` to whoever administers the database, then start again$/,
    );
    await ask(directUrl, await script(url));

    const store = opened(url);
    await store.migrate({ dryRun: false });
    await useAll(store);
    const { next } = await store.tail({ after: 0, limit: 100 });
    // As after a restore: the line has moved, and the base must be raised, now and while the store is open.
    const move = `update ${schema.name}.tape_meta set value = value where name = 'feed_home'`;
    await ask(directUrl, move);
    const [risen = 0] = await commit(store, appendTo("moved", 0));
    expect(risen).toBeGreaterThan(next);
    await ask(directUrl, move);
    const other = opened(url);
    await other.open();
    expect((await commit(other, appendTo("moved", 1)))[0]).toBeGreaterThan(risen);
    expect((await feedOf(other, 4)).map(({ row }) => row)).toEqual(["row", "row", "moved", "moved"]);
  });

  it("the same when it may not ask for the server's identity, which the administrator may", async () => {
    const { schema, role, url } = await restricted();
    const revoke = `revoke execute on function pg_control_system() from public`;
    await ask(directUrl, revoke);
    onTestFinished(async () => void (await ask(directUrl, "grant execute on function pg_control_system() to public")));
    await ask(directUrl, await script(url));
    const admin = opened(schema.url);
    await admin.open();
    const base = async (): Promise<unknown> =>
      (await ask(directUrl, `select value from ${schema.name}.tape_meta where name = 'feed'`))[0];
    const before = await base();
    const store = opened(url);
    await store.open();
    await useAll(store);
    await opened(schema.url).open();
    expect(await base(), `${role} must not raise it`).toEqual(before);
  });

  it("the script can be piped into psql as it is", async ({ skip }) => {
    const psql = findPostgres().flatMap(({ tools }) => tools("psql") ?? [])[0];
    skip(
      psql === undefined && process.env["CI"] !== "true",
      "psql is not installed: `apt-get install postgresql-client`",
    );
    const { url } = await restricted();
    const args = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", directUrl];
    const { code, err } = await run(psql ?? "psql", args, await script(url));
    expect({ code, err: err.replace(/^NOTICE: .*already exists, skipping\n/, "") }).toEqual({ code: 0, err: "" });
    const store = opened(url);
    await store.open();
    await useAll(store);
    expect(await script(url)).toMatch(/^-- postgres:\S+: up to date\n$/);
  });

  it("the script makes the schema too", async () => {
    const { schema, url } = await restricted();
    await schema.drop();
    const store = opened(url);
    await expect(store.migrate({ dryRun: false })).rejects.toThrow("hand the output of `tape migrate --dry-run --sql`");
    await ask(directUrl, await script(url));
    await store.migrate({ dryRun: false });
    await useAll(store);
  });
});
