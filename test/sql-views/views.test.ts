import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describePostgres } from "../postgres/shared-server.ts";
import { postgresJournal } from "./postgres-journal.ts";
import { aMinuteLater, noon, recordScenario } from "./scenario.ts";
import { addStrangeRows, type SqlJournal } from "./sql-journal.ts";
import { sqliteJournal } from "./sqlite-journal.ts";

describe("SQL views on SQLite", () => {
  showTheSame(sqliteJournal);
});
describePostgres("SQL views on PostgreSQL", () => showTheSame(postgresJournal));
describePostgres(
  "SQL views on an older PostgreSQL",
  () => showTheSame(async () => postgresJournal("oldest")),
  "oldest",
);

/** Every cell of every view, after the same calls on either engine. */
function showTheSame(open: () => Promise<SqlJournal>): void {
  let journal: SqlJournal;
  let runId: string;
  let sweep: string;
  let wire: string;

  beforeAll(async () => {
    journal = await open();
    ({ runId, sweep, wire } = await recordScenario(journal.url));
    // What is not Tape's own does not stand in the way.
    await addStrangeRows(journal.url);
  });
  afterAll(async () => journal.remove());

  it("tape_runs", async () => {
    expect(await journal.query("select * from tape_runs")).toEqual([
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
        lease_expires_at: aMinuteLater,
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
        labels: { team: "cash" },
        row: `~/run/${runId}`,
      },
    ]);
  });

  it("tape_decisions", async () => {
    expect(await journal.query("select * from tape_decisions")).toEqual([
      {
        run_id: runId,
        decision_index: 0,
        model: "m-1",
        policy_version: "",
        rationale: 'it\'s "due"',
        recorded_at: noon,
        seq: 2,
        global_seq: expect.any(Number) as number,
      },
    ]);
  });

  it("tape_effects: one line an effect, its status that of its last entry", async () => {
    const shared = {
      run_id: runId,
      decision_index: 0,
      begun_at: noon,
      changed_at: noon,
      external_ref: null,
      global_seq: expect.any(Number) as number,
    };
    expect(await journal.query("select * from tape_effects order by seq")).toEqual([
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
        claim_expires_at: aMinuteLater,
        seq: 5,
      },
    ]);
  });

  it("tape_obligations", async () => {
    expect(await journal.query("select * from tape_obligations")).toEqual([
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

  it("tape_sessions", async () => {
    expect(await journal.query("select * from tape_sessions")).toEqual([
      {
        app: "treasury",
        user: "ada",
        session: "s-1",
        events: 1,
        state: { mood: "good" },
        created_at: noon,
        updated_at: noon,
        row: "~/session/treasury/ada/s-1",
      },
    ]);
  });

  it("tape_values: the present ones", async () => {
    expect(await journal.query("select * from tape_values")).toEqual([
      {
        namespace: "rates",
        key: "eur",
        value: 1.2,
        version: 2,
        writer: "bob",
        updated_at: noon,
        row: "~/value/rates/eur",
      },
    ]);
  });

  it("positions are those of the tables", async () => {
    const lines = await journal.query(`
      select v.kind, v.global_seq, (select e.kind from tape_entries e where e.position = v.global_seq) as entry
      from (
        select 'decision' as kind, global_seq from tape_decisions
        union all select 'effect', global_seq from tape_effects
        union all select 'obligation', global_seq from tape_obligations
      ) v order by v.kind, v.global_seq`);
    expect(lines.map((line) => line["entry"])).toEqual([
      "decision/recorded",
      "effect/confirmed",
      "effect/claimed",
      "obligation/pending",
    ]);
  });

  it("there are no others", async () => {
    expect(await journal.views()).toEqual([
      "tape_decisions",
      "tape_effects",
      "tape_obligations",
      "tape_runs",
      "tape_sessions",
      "tape_values",
    ]);
  });
}
