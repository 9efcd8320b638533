import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { Connections } from "../../src/store/postgres/connections.ts";
import { HorizonWatch } from "../../src/store/postgres/horizon-watch.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { parsePostgresUrl } from "../../src/store/postgres/postgres-url.ts";
import { ask, foreignSession } from "./foreign-session.ts";
import { startPostgres, type PostgresServer } from "./postgres-server.ts";
import { describePostgres } from "./shared-server.ts";
import { eventually } from "../eventually.ts";

/** What a watch has said, and how to move its clock. */
interface Watched {
  readonly warnings: string[];
  readonly held: () => number | undefined;
  /** Lets time pass, then looks. */
  readonly look: (ms: number) => Promise<void>;
}

function watch(url: string): Watched {
  const connections = new Connections(parsePostgresUrl(url));
  onTestFinished(() => connections.close());
  const warnings: string[] = [];
  const gauges = new Map<string, number>();
  let now = 0;
  const watching = new HorizonWatch({
    misplaced: () => Promise.resolve([]),
    connections,
    observer: {
      gauge: (name, _, value) => void gauges.set(name, value),
      warn: (line) => void warnings.push(line),
    },
    everyMs: 10_000,
    stalledMs: 30_000,
    now: () => now,
  });
  return {
    warnings,
    held: () => gauges.get("feed_held_seconds"),
    look: async (ms) => {
      now += ms;
      await watching.look();
    },
  };
}

const overMessage = "the feed goes on: the transaction that held it up has ended";

// A server of its own: on the shared one other tests write, and hold transactions too.
describePostgres("a transaction that holds up the feed", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ settings: { max_prepared_transactions: "5" } });
    await ask(
      server.url(),
      `create role "o'brien" login; create role tape login; create role monitor login; grant pg_read_all_stats to monitor`,
    );
  }, 60_000);
  afterAll(async () => server.stop());

  /** A transaction that is held up: without one there is nothing that stands still. */
  const writeSomething = async (): Promise<void> => void (await ask(server.url(), "select pg_current_xact_id()"));

  it("is named once with all that is needed to end it, and once more when it is over", async () => {
    const { warnings, held, look } = watch(server.url({ user: "monitor" }));
    await look(0);
    expect(held()).toBe(0);
    const session = await foreignSession(server.url({ user: "o'brien" }), "nightly 'report'");
    await session.query("begin; select pg_current_xact_id()");
    const { rows } = await session.query<{ pid: number; id: string }>(
      "select pg_backend_pid() as pid, pg_current_xact_id()::text as id",
    );
    await look(100_000);
    expect(held()).toBe(0);
    await writeSomething();
    await look(100_000);
    await look(29_999);
    expect({ held: held(), warnings }).toEqual({ held: 0, warnings: [] });
    await look(1);
    expect(held()).toBe(30);
    await look(15_000);
    expect(held()).toBe(45);
    const { pid, id } = rows[0] ?? {};
    expect(warnings).toEqual([
      `the feed has stood still for 30 s: events are recorded, but not delivered until transaction ${id} ends; ` +
        `it is process ${pid} (role o'brien, database postgres, application 'nightly ''report''', idle in transaction); ` +
        `end it there, or run: select pg_terminate_backend(${pid})`,
    ]);
    const [command = ""] = /select pg_terminate_backend\(\d+\)/.exec(warnings[0] ?? "") ?? [];
    await ask(server.url(), command);
    await eventually(async () => {
      await look(10_000);
      expect(held()).toBe(0);
    });
    await look(10_000);
    expect(warnings.slice(1)).toEqual([overMessage]);
  });

  it("that was prepared and forgotten is named too, by any role, and goes by the command that is told", async () => {
    const { warnings, held, look } = watch(server.url({ user: "tape" }));
    const gid = `it's ${randomUUID()}`;
    const session = await foreignSession(server.url());
    await session.query(`begin; select pg_current_xact_id(); prepare transaction '${gid.replace("'", "''")}'`);
    await writeSomething();
    await look(0);
    await look(60_000);
    expect(held()).toBe(60);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^the feed has stood still for 60 s: .* ends; it is prepared transaction 'it''s [-0-9a-f]+' \(role postgres, database postgres\); end it there, or run: rollback prepared 'it''s [-0-9a-f]+'$/,
      ),
    ]);
    await session.query(/rollback prepared .*/.exec(warnings[0] ?? "")?.[0] ?? "");
    await look(10_000);
    expect({ held: held(), after: warnings.slice(1) }).toEqual({ held: 0, after: [overMessage] });
  });

  it("is named to a role without rights too, but for what it is about", async () => {
    const { warnings, look } = watch(server.url({ user: "tape" }));
    const session = await foreignSession(server.url(), "reports");
    await session.query("begin; select pg_current_xact_id()");
    await writeSomething();
    await look(0);
    await look(30_000);
    expect(warnings).toEqual([
      expect.stringMatching(
        /it is process \d+ \(role postgres, database postgres, application 'reports'\); end it there, or run: select pg_terminate_backend\(\d+\)$/,
      ),
    ]);
    await session.query("commit");
  });

  it("is counted from when it came to be the oldest; short ones one after another are none", async () => {
    const { warnings, held, look } = watch(server.url());
    const sessions = [await foreignSession(server.url()), await foreignSession(server.url())];
    const [first] = sessions;
    for (const session of sessions) await session.query("begin; select pg_current_xact_id()");
    await writeSomething();
    await look(0);
    await look(20_000);
    await first?.query("commit");
    await look(20_000);
    expect({ held: held(), warnings }).toEqual({ held: 0, warnings: [] });
    await look(29_999);
    expect(warnings).toEqual([]);
    await look(1);
    expect(warnings).toHaveLength(1);
    await sessions[1]?.query("rollback");
    await look(1);
    expect(warnings.slice(1)).toEqual([overMessage]);
  });

  it("that only reads, or has ended, is none", async () => {
    const { warnings, held, look } = watch(server.url());
    const session = await foreignSession(server.url());
    await session.query("begin isolation level repeatable read");
    await session.query("select count(*) from pg_class");
    await writeSomething();
    await look(0);
    await look(100_000);
    expect({ held: held(), warnings }).toEqual({ held: 0, warnings: [] });
    await session.query("commit");
  });

  it("is looked for by every open store by itself", async () => {
    const seen: string[] = [];
    const observer = {
      gauge: (name: string, _: string, value: number) => void seen.push(`${name} ${value > 0 ? "held" : "goes on"}`),
      warn: (line: string) => void seen.push(line.replace(/[ :].*/, "")),
    };
    const url = server.url({ params: { schema: "watched" } });
    const store = postgresStore(url, { observer, horizonEveryMs: 5, horizonStalledMs: 0 });
    onTestFinished(() => store.close());
    await store.migrate({ dryRun: false });
    const session = await foreignSession(server.url());
    await session.query("begin; select pg_current_xact_id()");
    await writeSomething();
    await eventually(() => expect(seen).toContain("feed_held_seconds held"));
    await session.query("commit");
    seen.length = 0;
    await eventually(() => expect(seen).toContain("feed_held_seconds goes on"));
    await store.close();
    seen.length = 0;
    await session.query("begin; select pg_current_xact_id()");
    await session.query("commit");
    expect(seen).toEqual([]);
  });
});
