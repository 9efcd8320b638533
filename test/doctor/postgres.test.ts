import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Finding } from "../../src/model/finding.ts";
import { examinePostgres, type ServerSeams } from "../../src/store/postgres/examine-server.ts";
import { psqlCommand } from "../../src/store/postgres/psql-command.ts";
import { parsePostgresUrl } from "../../src/store/postgres/postgres-url.ts";
import { tape } from "../cli/run-in-process.ts";
import { ask, foreignSession } from "../postgres/foreign-session.ts";
import { findPgBouncer, startPgBouncer } from "../postgres/pgbouncer.ts";
import { startPostgres, type PostgresServer } from "../postgres/postgres-server.ts";
import { describePostgres } from "../postgres/shared-server.ts";
import { findingsIn } from "./json-report.ts";

/** The gravest finding of each check. */
async function examine(url: string, seams?: ServerSeams): Promise<Record<string, Finding>> {
  const found: Record<string, Finding> = {};
  for await (const finding of examinePostgres(url, seams).place(new AbortController().signal)) {
    if (found[finding.id]?.outcome !== "fail") found[finding.id] = finding;
  }
  return found;
}

const impatient = (feedStandsS: number): ServerSeams => ({
  patience: { feedHeldS: 0, feedStandsS, vacuumHeldS: 0 },
});

// A server of its own: its settings are changed, and on the shared one other tests hold transactions.
describePostgres("tape doctor on PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({
      settings: { max_prepared_transactions: "5", wal_level: "logical", fsync: "on", full_page_writes: "on" },
    });
    await ask(server.url(), "create role tape login; create role other login");
  }, 60_000);
  afterAll(async () => server.stop());

  /** A database whose settings a test may change. */
  async function database(name: string, settings: readonly string[] = []): Promise<string> {
    await ask(server.url(), `create database ${name} owner tape`);
    for (const setting of settings) await ask(server.url(), `alter database ${name} set ${setting}`);
    return server.url({ user: "tape", database: name });
  }

  it("is content with a healthy one, and a killed process costs nothing", async () => {
    const url = await database("healthy");
    const made = await tape(["migrate"], { env: { TAPE_STORE: url } });
    expect(made.code).toBe(0);
    const result = await tape(["doctor", "--json", "--strict"], { env: { TAPE_STORE: url } });
    const { findings, all } = findingsIn(result);
    expect(all.filter(({ outcome }) => outcome === "warn" || outcome === "fail")).toEqual([]);
    expect(result.code).toBe(0);
    expect(findings["store.recovery"]).toMatchObject({ outcome: "ok" });
    expect(Object.keys(findings)).toEqual(
      expect.arrayContaining(["postgres.server", "postgres.primary", "postgres.durability", "postgres.horizon"]),
    );
  });

  it("fails where it cannot be written", async () => {
    const found = await examine(await database("read_only", ["default_transaction_read_only = on"]));
    expect(found["postgres.primary"]).toMatchObject({ outcome: "fail", says: expect.stringContaining("read-only") });
    expect(found["postgres.primary"]?.mend).not.toEqual([]);
  });

  it("knows that Tape's own commits wait for the disk, whatever the database is set to", async () => {
    const found = await examine(await database("async_commit", ["synchronous_commit = off"]));
    expect(found["postgres.durability"]).toMatchObject({
      outcome: "ok",
      says: expect.stringContaining("on for Tape's own"),
    });
  });

  it.each([
    ["fsync", "fail"],
    ["full_page_writes", "warn"],
  ])("says what %s = off may cost, and its commands mend it", async (setting, outcome) => {
    await ask(server.url(), `alter system set ${setting} = off`);
    await ask(server.url(), "select pg_reload_conf()");
    const { "postgres.durability": found } = await settled(
      () => examine(server.url()),
      ({ outcome: now }) => now !== "ok",
    );
    expect(found).toMatchObject({ outcome, says: expect.stringContaining(`${setting} is off`) });
    for (const command of found?.mend ?? []) runCommand(command);
    const after = await settled(
      () => examine(server.url()),
      ({ outcome: now }) => now === "ok",
    );
    expect(after["postgres.durability"]?.outcome).toBe("ok");
  });

  it("names a transaction that holds up the feed, and its command ends it", async () => {
    const session = await foreignSession(server.url(), "nightly report");
    await session.query("begin; select pg_current_xact_id()");
    const warned = await examine(server.url(), impatient(60));
    expect(warned["postgres.horizon"]).toMatchObject({
      outcome: "warn",
      says: expect.stringMatching(
        /process \d+ \(role postgres, database postgres, application 'nightly report', idle in transaction\)/,
      ),
    });
    const { "postgres.horizon": found } = await examine(server.url(), impatient(0));
    expect(found).toMatchObject({ outcome: "fail", says: expect.stringContaining("the feed stands still") });
    const [command = ""] = found?.mend ?? [];
    expect(command).toMatch(
      /^psql -h 127\.0\.0\.1 -p \d+ -U postgres -d postgres -c "select pg_terminate_backend\(\d+\)"$/,
    );
    runCommand(command);
    const after = await settled(
      () => examine(server.url(), impatient(0)),
      ({ outcome }) => outcome === "ok",
      "postgres.horizon",
    );
    expect(after["postgres.horizon"]?.outcome).toBe("ok");
  });

  it("names a transaction that only reads, a prepared one, and a slot that nobody reads", async () => {
    const reader = await foreignSession(server.url(), "reader");
    await reader.query("begin isolation level repeatable read; select 1");
    await expect(examine(server.url(), impatient(0))).resolves.toMatchObject({
      "postgres.horizon": { outcome: "warn", says: expect.stringContaining("old row versions") },
    });
    await reader.query("commit");
    await reader.query("begin; select pg_current_xact_id(); prepare transaction 'for''gotten'");
    const { "postgres.horizon": prepared } = await examine(server.url(), impatient(0));
    expect(prepared).toMatchObject({
      outcome: "fail",
      says: expect.stringContaining("prepared transaction 'for''gotten'"),
    });
    runCommand(prepared?.mend?.[0] ?? "");
    await ask(server.url(), "select pg_create_logical_replication_slot('left', 'test_decoding')");
    const { "postgres.horizon": slot } = await examine(server.url(), impatient(0));
    expect(slot).toMatchObject({
      outcome: "warn",
      says: expect.stringContaining("replication slot left (nobody reads it)"),
    });
    runCommand(slot?.mend?.[0] ?? "");
    const after = await examine(server.url(), impatient(0));
    expect(after["postgres.horizon"]?.outcome).toBe("ok");
  });

  it("says that it cannot tell, where the role may not see since when others write: exit 3", async () => {
    const session = await foreignSession(server.url({ user: "other" }));
    await session.query("begin; select pg_current_xact_id()");
    const { "postgres.horizon": found } = await examine(server.url({ user: "tape" }));
    expect(found).toMatchObject({ outcome: "skipped", untold: true });
    await session.query("commit");
  });

  it.each([
    [500, "ok"],
    [5000, "warn"],
    [60_000, "fail"],
    [-60_000, "fail"],
  ])("says how far the clocks are apart: %d ms is %s", async (offMs, outcome) => {
    const found = await examine(server.url(), { now: () => Date.now() + offMs });
    expect(found["store.clock"]).toMatchObject({
      outcome,
      says: expect.stringContaining(offMs < 0 ? "behind" : "ahead of"),
    });
  });

  it("says that a server is not there, and shows no password", async () => {
    await using gone = await startPostgres();
    const url = gone.url({ user: "tape" }).replace("tape@", "tape:sesame@");
    await gone.stop();
    const result = await tape(["doctor", "--json"], { env: { TAPE_STORE: url } });
    const { findings } = findingsIn(result);
    expect(result.code).toBe(2);
    expect(findings["postgres.server"]).toMatchObject({
      outcome: "fail",
      says: expect.stringContaining("nothing listens there"),
    });
    expect(findings["store.schema"]).toMatchObject({
      outcome: "skipped",
      says: "could not be looked at: see postgres.server",
    });
    expect(result.out).not.toContain("sesame");
  });

  it.skipIf(findPgBouncer() === undefined && process.env["CI"] !== "true")(
    "tells a pooler that the URL does not speak of, and one that is not there",
    async () => {
      await using pooler = await startPgBouncer(server);
      const pooled = pooler.url();
      await expect(examine(pooled)).resolves.toMatchObject({
        "postgres.pooler": { outcome: "ok", says: "a pooler, as the store URL says" },
      });
      await expect(examine(pooled.replace("pgbouncer=true", "listen=false&options="))).resolves.toMatchObject({
        "postgres.server": { outcome: "fail", says: expect.stringContaining("pgbouncer=true") },
      });
      await expect(examine(server.url({ params: { pgbouncer: "true" } }))).resolves.toMatchObject({
        "postgres.pooler": { outcome: "warn", says: expect.stringContaining("no pooler is there") },
      });
    },
  );
});

it("suggests commands that a shell takes as they are meant, without the password", () => {
  const target = parsePostgresUrl("postgres://o'brien:sesame@[::1]:5433/my%20journal");
  expect(psqlCommand(target, `select "a", '$b', \`c\``)).toBe(
    String.raw`psql -h ::1 -p 5433 -U 'o'\''brien' -d 'my journal' -c "select \"a\", '\$b', \`c\`"`,
  );
});

function runCommand(command: string): void {
  execFileSync("sh", ["-c", command], { stdio: "ignore" });
}

/** A reload and the end of a backend take effect a moment later. */
async function settled(
  look: () => Promise<Record<string, Finding>>,
  isSo: (finding: Finding) => boolean,
  id = "postgres.durability",
): Promise<Record<string, Finding>> {
  for (let tries = 0; ; tries += 1) {
    const found = await look();
    const finding = found[id];
    if (tries === 100 || (finding !== undefined && isSo(finding))) return found;
  }
}
