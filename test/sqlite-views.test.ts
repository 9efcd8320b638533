import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTape } from "../src/open-tape.ts";
import { openConnection } from "../src/store/sqlite/connection.ts";
import { appendTo, bytes, commit } from "../src/testing/test-store/material.ts";
import { sqliteFileStore } from "../src/store/sqlite/sqlite-store.ts";
import { FakeClock } from "../src/testing/fake-clock.ts";
import type { SqliteDatabase } from "../src/store/sqlite/open-sqlite.ts";

const noon = "2026-01-01T12:00:00.000Z";
const minute = 60_000;

let directory: string;
let database: SqliteDatabase;
let runId: string;
let sweep: string;
let wire: string;

const rows = (sql: string): readonly unknown[] =>
  database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tape-views-"));
  const path = join(directory, "tape.db");
  const clock = new FakeClock(Date.parse(noon));
  const tape = await openTape(`sqlite:${path}`, { clock });
  ({ runId } = await tape.beginRun({
    appName: "treasury",
    userId: "ada",
    sessionId: "s-1",
    invocationId: "i-1",
    leaseOwner: "worker-1",
    leaseTtlMs: minute,
    scopes: ["pay"],
    labels: { team: "cash" },
    actor: "bot",
  }));
  await tape.setBudget({ runId, usdCap: 5, tokenCap: 1000 });
  await tape.recordDecision({ runId, decisionIndex: 0, model: "m-1", rationale: 'it\'s "due"', responseJson: "{}" });
  ({ idempotencyKey: sweep } = await tape.beginEffect({
    runId,
    decisionIndex: 0,
    toolName: "sweep",
    requestJson: "{}",
  }));
  await tape.completeEffect({ runId, idempotencyKey: sweep, status: "CONFIRMED", responseJson: "{}" });
  ({ idempotencyKey: wire } = await tape.beginEffect({
    runId,
    decisionIndex: 0,
    toolName: "wire",
    callIndex: 1,
    semantics: "NON_IDEMPOTENT",
    dispatchMode: "OUTBOX",
    connector: "bank",
    businessKey: "invoice-7",
    scope: "pay",
  }));
  await tape.claimEffectDispatch({ runId, idempotencyKey: wire, claimer: "d-1", leaseTtlMs: minute });
  await tape.recordDispatchAttempt({ runId, idempotencyKey: wire, error: "timed out", nextDispatchAtMs: clock.now() });
  await tape.claimEffectDispatch({ runId, idempotencyKey: wire, claimer: "d-2", leaseTtlMs: minute });
  await tape.registerCompensation({ runId, effectKey: sweep, kind: "unsweep", payloadJson: "{}" });
  await tape.chargeBudget({ runId, usd: 0.0123, tokens: 42 });
  await tape.writeValue({ namespace: "rates", key: "eur", valueJson: "1.1", writer: "ada" });
  await tape.writeValue({ namespace: "rates", key: "eur", valueJson: "1.2", writer: "bob" });
  await tape.writeValue({ namespace: "rates", key: "gone", valueJson: "1" });
  await tape.deleteValue({ namespace: "rates", key: "gone" });
  const session = { appName: "treasury", userId: "ada", sessionId: "s-1" };
  await tape.createSession({ ...session, stateJson: '{"mood":"good"}' });
  await tape.appendEvent({ ...session, event: { id: "e-1", author: "user", contentJson: "{}" } });
  await tape.close();
  // What is not Tape's own does not stand in the way.
  const store = sqliteFileStore({ path });
  await store.open();
  await commit(store, appendTo("strange", 0, { head: bytes("not JSON {") }), appendTo("empty", 0, { head: bytes("") }));
  await store.close();
  database = await openConnection({ path, readOnly: true, busyTimeoutMs: 1000 });
});

afterAll(async () => {
  database.close();
  await rm(directory, { recursive: true });
});

describe("SQL views", () => {
  it("tape_runs", () => {
    expect(rows("select * from tape_runs")).toEqual([
      {
        run_id: runId,
        status: "RUNNING",
        tenant_id: "",
        app: "treasury",
        user: "ada",
        session: "s-1",
        invocation_id: "i-1",
        started_at: noon,
        ended_at: null,
        lease_owner: "worker-1",
        lease_expires_at: "2026-01-01T12:01:00.000Z",
        epoch: 1,
        waiting_on_gate: null,
        entries: 10,
        open_effects: 1,
        usd_spent: 0.0123,
        usd_cap: 5,
        tokens_spent: 42,
        token_cap: 1000,
        actor: "bot",
        subject: "",
        agent_id: "",
        labels: '{"team":"cash"}',
        row: expect.stringContaining(runId) as string,
      },
    ]);
  });

  it("tape_decisions", () => {
    expect(rows("select * from tape_decisions")).toEqual([
      {
        run_id: runId,
        decision_index: 0,
        model: "m-1",
        policy_version: "",
        rationale: 'it\'s "due"',
        recorded_at: noon,
        seq: 2,
        global_seq: 2,
      },
    ]);
  });

  it("tape_effects: one line an effect, its status that of its last entry", () => {
    const shared = { run_id: runId, decision_index: 0, begun_at: noon, changed_at: noon, external_ref: null };
    expect(rows("select * from tape_effects order by seq")).toEqual([
      {
        ...shared,
        idempotency_key: sweep,
        status: "CONFIRMED",
        tool: "sweep",
        semantics: "IDEMPOTENT",
        dispatch_mode: "INLINE",
        connector: "",
        business_key: "",
        scope: "",
        dispatch_attempts: 0,
        last_error: null,
        claimed_by: null,
        claim_expires_at: null,
        seq: 3,
        global_seq: 4,
      },
      {
        ...shared,
        idempotency_key: wire,
        status: "PENDING",
        tool: "wire",
        semantics: "NON_IDEMPOTENT",
        dispatch_mode: "OUTBOX",
        connector: "bank",
        business_key: "invoice-7",
        scope: "pay",
        dispatch_attempts: 1,
        last_error: "timed out",
        claimed_by: "d-2",
        claim_expires_at: "2026-01-01T12:01:00.000Z",
        seq: 5,
        global_seq: expect.any(Number) as number,
      },
    ]);
  });

  it("tape_obligations", () => {
    expect(rows("select * from tape_obligations")).toEqual([
      {
        run_id: runId,
        obligation_seq: 9,
        status: "PENDING",
        kind: "unsweep",
        effect_key: sweep,
        attempts: 0,
        last_error: null,
        next_attempt_at: null,
        claimed_by: null,
        claim_expires_at: null,
        registered_at: noon,
        changed_at: noon,
        global_seq: expect.any(Number) as number,
      },
    ]);
  });

  it("tape_sessions", () => {
    expect(rows('select app, "user", session, events, state, created_at, updated_at from tape_sessions')).toEqual([
      {
        app: "treasury",
        user: "ada",
        session: "s-1",
        events: 1,
        state: '{"mood":"good"}',
        created_at: noon,
        updated_at: noon,
      },
    ]);
  });

  it("tape_values: the present ones", () => {
    expect(rows("select namespace, key, value, version, writer, updated_at from tape_values")).toEqual([
      { namespace: "rates", key: "eur", value: "1.2", version: 2, writer: "bob", updated_at: noon },
    ]);
  });

  it("docs/sql.md: every statement runs, and the columns are those of the views", async () => {
    const text = await readFile(join(import.meta.dirname, "..", "docs", "sql.md"), "utf8");
    const statements = Array.from(text.matchAll(/```sql\n([^`]+)```/g), ([, sql]) => sql ?? "");
    expect(statements.length).toBeGreaterThan(3);
    for (const statement of statements) expect(() => rows(statement)).not.toThrow();
    const documented = Array.from(text.matchAll(/^\| `(tape_\w+)` \| [^|]+ \| ([^|]+) \|$/gm), ([, view, columns]) => [
      view,
      columns?.replaceAll(/ \([^)]*\)/g, "").split(", "),
    ]);
    const found = documented.map(([view]) => [
      view,
      rows(`select name from pragma_table_info('${String(view)}')`).map((column) => (column as { name: string }).name),
    ]);
    expect(documented).toHaveLength(6);
    expect(documented).toEqual(found);
  });

  it("there are no others", () => {
    const views = rows("select name from sqlite_schema where type = 'view' order by name");
    expect(views).toEqual(
      ["decisions", "effects", "obligations", "runs", "sessions", "values"].map((name) => ({ name: `tape_${name}` })),
    );
  });
});
