import { afterAll, beforeAll, expect, it } from "vitest";
import { openTape } from "../../src/open-tape.ts";
import { createStore } from "../../src/store/open-store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { appendTo, bytes, commit, entry } from "../../src/testing/test-store/material.ts";
import { describePostgres } from "../postgres/shared-server.ts";
import { postgresJournal, type PostgresJournal } from "./postgres-journal.ts";
import { noon, recordScenario, type Recorded } from "./scenario.ts";

const run = { appName: "a", userId: "u", leaseOwner: "w", leaseTtlMs: 60_000 };

describePostgres("what only PostgreSQL's views can meet", () => whatPostgresMeets(async () => postgresJournal()));
describePostgres(
  "what only an older PostgreSQL's views can meet",
  () => whatPostgresMeets(async () => postgresJournal("oldest")),
  "oldest",
);

function whatPostgresMeets(open: () => Promise<PostgresJournal>): void {
  let journal: PostgresJournal;
  let recorded: Recorded;

  beforeAll(async () => {
    journal = await open();
    recorded = await recordScenario(journal.url);
  });
  afterAll(async () => journal.remove());

  const json = async (text: string): Promise<unknown> =>
    (await journal.client.query<{ json: unknown }>("select tape_json($1) as json", [text])).rows[0]?.json;

  it("columns have the types of what they hold", async () => {
    for (const { name, type } of await journal.types()) {
      expect([name, type]).toEqual([name, expectedType(String(name))]);
    }
  });

  it.each([
    ["plain JSON", String.raw`{"a":[1,"ü"]}`, { a: [1, "ü"] }],
    ["U+0000", String.raw`"\u0000"`, "\uFFFD"],
    ["U+0000 behind a backslash", String.raw`"\\\u0000\u0000\\"`, "\\\uFFFD\uFFFD\\"],
    ["an escaped backslash before letters", String.raw`"\u0000 \\u0000"`, "\uFFFD \\u0000"],
    ["names with U+0000", String.raw`{"\u0000":"\\ud83d"}`, { "\uFFFD": "\\ud83d" }],
    ["the first half of a pair", String.raw`"cut \ud83d"`, "cut \uFFFD"],
    ["halves that are not each other's", String.raw`"\ude00 cut \uD83D\u0041"`, "\uFFFD cut \uFFFDA"],
    [
      "a half behind what only looks like one",
      String.raw`"\\ud83d\ude00 \ud83d\\\ude00"`,
      "\\ud83d\uFFFD \uFFFD\\\uFFFD",
    ],
    ["pairs among halves", String.raw`"\ud83d\ude00 \ud83d\ud83d\ude00\ude00"`, "\u{1F600} \uFFFD\u{1F600}\uFFFD"],
    ["something else", "not JSON {", null],
    ["something else with U+0000", String.raw`{"a":"\u0000"`, null],
    ["nothing", "", null],
    ["a number without end", "[1e999999]", null],
    ["lists without end", "[".repeat(100_000), null],
  ])("tape_json reads %s", async (_what, text, value) => {
    expect(await json(text)).toEqual(value);
  });

  it("texts with what jsonb cannot hold are shown without it", async () => {
    await using tape = await openTape(journal.url, { clock: new FakeClock(Date.parse(noon)) });
    const { runId } = await tape.beginRun({ ...run, sessionId: "nul", invocationId: "nul" });
    await tape.recordDecision({ runId, decisionIndex: 0, model: "m", rationale: "a\u0000b", responseJson: "{}" });
    await tape.createSession({
      appName: "a",
      userId: "u",
      sessionId: "nul",
      stateJson: '{"k":"\\u0000","h":"\\ud83d"}',
    });
    await tape.writeValue({ namespace: "nul", key: "k", valueJson: '"\\ud83d"' });
    expect(await journal.query(`select rationale from tape_decisions where run_id = '${runId}'`)).toEqual([
      { rationale: "a\uFFFDb" },
    ]);
    expect(await journal.query("select state from tape_sessions where session = 'nul'")).toEqual([
      { state: { k: "\uFFFD", h: "\uFFFD" } },
    ]);
    expect(await journal.query("select value from tape_values where namespace = 'nul'")).toEqual([{ value: "\uFFFD" }]);
  });

  it("a damaged row takes the view from nobody", async () => {
    const store = await createStore(journal.url);
    await store.open();
    const damaged =
      '{"kind":"run","status":7,"started_at_ms":"soon","seq":1e300,"epoch":[],"effects":1,"budget":[{}],"lease":0}';
    const entries = ["decision/recorded", "effect/pending", "obligation/pending"].map((kind, i) =>
      entry(i + 1, { kind, meta: "not JSON" }),
    );
    await commit(
      store,
      appendTo("~/run/damaged", 0, { head: bytes(damaged), entries }),
      appendTo("~/session/damaged", 0, { head: bytes('{"kind":"session","deleted":false,"created_at_ms":true}') }),
      appendTo("~/value/damaged", 0, { head: bytes('{"kind":"value","deleted":"no"}') }),
    );
    await store.close();
    const nothing = {
      started_at: null,
      entries: null,
      epoch: null,
      open_effects: null,
      usd_spent: null,
      lease_owner: null,
    };
    expect(await journal.query("select * from tape_runs where run_id = 'damaged'")).toMatchObject([
      { ...nothing, status: "7", row: "~/run/damaged" },
    ]);
    expect(await journal.query("select created_at, state from tape_sessions where row = '~/session/damaged'")).toEqual([
      { created_at: null, state: null },
    ]);
    for (const view of ["tape_decisions", "tape_effects", "tape_obligations"]) {
      const lines = await journal.query(`select run_id from ${view} group by run_id`);
      expect(lines).toEqual(expect.arrayContaining([{ run_id: recorded.runId }, { run_id: "damaged" }]));
    }
    expect(await journal.query("select key from tape_values where namespace = 'rates'")).toEqual([{ key: "eur" }]);
  });

  it("they work under any search path and whatever a backslash means to the session", async () => {
    const { client, schema } = journal;
    await client.query("begin");
    try {
      for (const name of ["regexp_replace(text, text, text, text)", "split_part(text, text, integer)"]) {
        await client.query(`create function ${schema}.${name} returns text language sql as 'select null::text'`);
      }
      await client.query(`set local search_path to ${schema}, pg_catalog`);
      await client.query("set local standard_conforming_strings to off");
      await client.query("set local escape_string_warning to off");
      for (const view of await journal.views()) {
        const [line] = await journal.query(`select count(*) as lines from ${schema}.${view}`);
        expect([view, line?.["lines"]]).toEqual([view, expect.any(Number)]);
        expect(line?.["lines"]).toBeGreaterThan(0);
      }
      const claims = await journal.query(`select claimed_by from ${schema}.tape_effects where claimed_by is not null`);
      expect(claims).toEqual([{ claimed_by: "d-2" }]);
      const { rows } = await client.query(`select ${schema}.tape_json($1) as json`, [String.raw`"\\\u0000"`]);
      expect(rows).toEqual([{ json: "\\\uFFFD" }]);
    } finally {
      await client.query("rollback");
    }
  });

  it("a role that may read the views needs no right to the tables", async () => {
    const { client, schema } = journal;
    const role = `reader_${schema}`;
    await client.query(`create role ${role}`);
    try {
      await client.query(`grant usage on schema ${schema} to ${role}`);
      for (const view of await journal.views()) await client.query(`grant select on ${view} to ${role}`);
      await client.query(`set role ${role}`);
      const [effects] = await journal.query("select count(*) as lines from tape_effects");
      expect(effects?.["lines"]).toBeGreaterThan(0);
      await expect(client.query("select * from tape_rows")).rejects.toThrow("permission denied");
    } finally {
      await client.query("reset role");
      await client.query(`drop owned by ${role}`);
      await client.query(`drop role ${role}`);
    }
  });

  it("a question about one run parses the head of that run alone", async () => {
    const { client } = journal;
    const { rows } = await client.query<{ "QUERY PLAN": string }>(
      `explain (analyze, timing off, costs off, summary off) select * from tape_effects where run_id = '${recorded.runId}'`,
    );
    const plan = rows.map((line) => line["QUERY PLAN"]);
    const scan = plan.findIndex((line) => line.includes("on tape_rows r"));
    expect(plan[scan]).toMatch(/rows=1[. ]/);
    expect(plan[scan + 1]).toContain(recorded.runId);
  });
}

function expectedType(column: string): string {
  if (column.endsWith("_at")) return "timestamp with time zone";
  if (column.startsWith("usd_")) return "numeric";
  if (["labels", "state", "value"].includes(column)) return "jsonb";
  const numbers = /^(?:epoch|entries|open_effects|tokens?_\w+|\w+_index|\w*_?seq|\w*attempts|events|version)$/;
  return numbers.test(column) ? "bigint" : "text";
}
