import assert from "node:assert/strict";
import type {
  AttentionItem,
  GetRunDetailRequest,
  GetRunDetailResponse,
  JournalRecord,
  ListAttentionRequest,
  ReadJournalRequest,
} from "../../model/inspect.ts";
import type { Tape } from "../../model/tape.ts";
import { part, refused, upTo } from "./assertions.ts";
import { agent, dispatcher, farFuture, type Scene } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

async function detailPages(tape: Tape, request: GetRunDetailRequest): Promise<GetRunDetailResponse[]> {
  const pages: GetRunDetailResponse[] = [];
  let pageToken = "";
  do {
    const page = await tape.inspect.getRunDetail({ ...request, pageToken });
    pages.push(page);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return pages;
}

async function records(tape: Tape, request: ReadJournalRequest): Promise<JournalRecord[]> {
  const all: JournalRecord[] = [];
  let pageToken = "";
  do {
    const page = await tape.inspect.readJournal({ ...request, pageToken });
    all.push(...page.records);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return all;
}

async function attention(tape: Tape, request: ListAttentionRequest = {}): Promise<AttentionItem[]> {
  const all: AttentionItem[] = [];
  let pageToken = "";
  do {
    const page = await tape.inspect.listAttention({ ...request, pageToken });
    all.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return all;
}

const kindsOf = (items: readonly AttentionItem[]): string[] => items.map(({ kind }) => kind);

/** A run with two things of every kind, one of them settled, and one cancelled timer. */
async function furnished(t: Scene): Promise<string> {
  const { tape } = t;
  const runId = await t.run();
  const done = await t.effect(runId, { requestJson: '{"a":1}' });
  await tape.completeEffect({ runId, idempotencyKey: done, status: "CONFIRMED", responseJson: '{"ok":true}' });
  await t.effect(runId, { requestJson: '{"b":2}' });
  await tape.registerCompensation({ runId, effectKey: done, kind: "undo", payloadJson: '{"c":3}' });
  await tape.sendSignal({ runId, gateName: "early", resolutionJson: '{"d":4}' });
  await tape.awaitSignal({ runId, gateName: "asked", payloadJson: '{"e":5}' });
  await t.clock.advance(5);
  await tape.sendSignal({ runId, gateName: "asked", resolutionJson: '{"f":6}' });
  await tape.resumeRun({ runId, leaseOwner: agent });
  await tape.setTimer({ runId, timerId: "later", kind: "own", fireAtMs: farFuture, payloadJson: '{"g":7}' });
  await tape.setTimer({ runId, timerId: "never", kind: "own", fireAtMs: farFuture });
  await tape.cancelTimer({ runId, timerId: "never" });
  await tape.setTimer({ runId, timerId: "past", kind: "own", fireAtMs: 1 });
  await tape.listDueTimers({ claim: true });
  await tape.setBudget({ runId, usdCap: 5 });
  await tape.chargeBudget({ runId, usd: 1.5, tokens: 7 });
  return runId;
}

/** An obligation that could not be met: its run is STUCK. */
async function stuckObligation(t: Scene): Promise<string> {
  const { runId, obligations } = await t.undone(1);
  const obligationSeq = obligations[0]?.seq ?? 0;
  await t.tape.claimObligation({ runId, obligationSeq, claimer: dispatcher });
  await t.tape.recordObligationAttempt({ runId, obligationSeq, error: "closed", nextAttemptAtMs: 0 });
  return runId;
}

/** R82 to R85: one run, its journal, what needs a human, and the store. */
export const inspectCases: readonly TapeCase[] = [
  rule("R82", "a run's detail is what the calls of Tape say of it", async (t) => {
    const runId = await furnished(t);
    const detail = await t.tape.inspect.getRunDetail({ runId });
    const effects = await Promise.all(detail.effects.map((effect) => t.effectOf(runId, effect.idempotencyKey)));
    assert.deepEqual(detail.run, await t.get(runId));
    assert.deepEqual(detail.budget, await t.tape.setBudget({ runId, usdCap: 5 }));
    assert.equal(detail.effects.length, 2);
    assert.deepEqual(detail.effects, effects);
    assert.deepEqual(detail.obligations, await t.obligationsOf(runId));
    assert.deepEqual(
      detail.timers.map((timer) => part(timer, "timerId", "fired", "payloadJson")),
      [
        { timerId: "later", fired: false, payloadJson: '{"g":7}' },
        { timerId: "past", fired: true, payloadJson: "" },
      ],
    );
    assert.ok(detail.leaseEpoch > 0);
    assert.equal(detail.nextPageToken, "");
  }),
  rule("R82", "gates tell who waits since when, and what was answered when", async (t) => {
    const runId = await furnished(t);
    const at = (await t.journal(runId)).filter(({ kind }) => kind === "gate").map(({ tsMs }) => tsMs);
    const { gates } = await t.tape.inspect.getRunDetail({ runId });
    const [early = 0, wait = 0, answer = 0] = at;
    assert.deepEqual(gates, [
      {
        runId,
        gateName: "early",
        occurrence: 1,
        status: "SIGNALLED",
        payloadJson: "",
        resolutionJson: '{"d":4}',
        waitingSinceMs: 0,
        signalledAtMs: early,
      },
      {
        runId,
        gateName: "asked",
        occurrence: 1,
        status: "RELEASED",
        payloadJson: '{"e":5}',
        resolutionJson: '{"f":6}',
        waitingSinceMs: wait,
        signalledAtMs: answer,
      },
    ]);
    await t.tape.awaitSignal({ runId, gateName: "asked" }, { gateOccurrence: 2 });
    const [waiting] = (await t.tape.inspect.getRunDetail({ runId, openOnly: true })).gates.slice(-1);
    assert.deepEqual(part(waiting, "occurrence", "status", "signalledAtMs"), {
      occurrence: 2,
      status: "WAITING",
      signalledAtMs: 0,
    });
  }),
  rule("R82", "open_only leaves out what is settled, released and fired", async (t) => {
    const runId = await furnished(t);
    const { effects, obligations, gates, timers } = await t.tape.inspect.getRunDetail({ runId, openOnly: true });
    assert.deepEqual(
      effects.map(({ status }) => status),
      ["PENDING"],
    );
    assert.deepEqual(
      obligations.map(({ status }) => status),
      ["PENDING"],
    );
    assert.deepEqual(
      gates.map(({ gateName }) => gateName),
      ["early"],
    );
    assert.deepEqual(
      timers.map(({ timerId }) => timerId),
      ["later"],
    );
  }),
  rule("R82", "pages count all lists together, and each has run and budget", async (t) => {
    const runId = await furnished(t);
    const whole = await t.tape.inspect.getRunDetail({ runId });
    for (const pageSize of [1, 2, 3]) {
      const pages = await detailPages(t.tape, { runId, pageSize });
      assert.deepEqual(
        pages.flatMap(({ effects }) => effects),
        whole.effects,
      );
      assert.deepEqual(
        pages.flatMap(({ obligations }) => obligations),
        whole.obligations,
      );
      assert.deepEqual(
        pages.flatMap(({ gates }) => gates),
        whole.gates,
      );
      assert.deepEqual(
        pages.flatMap(({ timers }) => timers),
        whole.timers,
      );
      for (const page of pages) assert.deepEqual(part(page, "run", "budget"), part(whole, "run", "budget"));
      assert.equal(pages.length, Math.ceil(7 / pageSize));
    }
  }),
  rule("R82", "the detail of the end is there, also of a run that is being undone", async (t) => {
    const runId = await t.run();
    await t.tape.endRun({ runId, status: "FAILED", detailJson: '{"why":"x"}' });
    assert.equal((await t.tape.inspect.getRunDetail({ runId })).endDetailJson, '{"why":"x"}');
    const undone = await t.run();
    await t.tape.endRun({ runId: undone, status: "COMPENSATING", detailJson: '{"why":"y"}' });
    const { run, endDetailJson } = await t.tape.inspect.getRunDetail({ runId: undone });
    assert.deepEqual([run.status, endDetailJson], ["FAILED", '{"why":"y"}']);
    assert.equal((await t.tape.inspect.getRunDetail({ runId: await t.run() })).endDetailJson, "");
  }),
  rule("R82", "there is no detail and no journal of a run that is not there", async (t) => {
    for (const runId of ["none", "a/b", "~", "x".repeat(300)]) {
      await refused(t.tape.inspect.getRunDetail({ runId }), "RUN_NOT_FOUND", { run_id: runId });
      await refused(t.tape.inspect.readJournal({ runId }), "RUN_NOT_FOUND", { run_id: runId });
    }
    await refused(t.tape.inspect.getRunDetail({ runId: "" }), "ARGUMENT_INVALID");
  }),
  rule("R83", "the journal is what SubscribeRun sends, in pages of any size", async (t) => {
    const runId = await furnished(t);
    const journal = await t.journal(runId);
    for (const pageSize of [1, 4, 100]) {
      const found = await records(t.tape, { runId, pageSize });
      assert.deepEqual(
        found.map(({ entry }) => entry),
        journal,
      );
      assert.ok(found.every(({ bodies }) => Object.keys(bodies).length === 0));
    }
    const late = await t.tape.inspect.readJournal({ runId, fromSeq: 3, pageSize: 2 });
    assert.deepEqual(
      late.records.map(({ entry }) => entry.seq),
      [3, 4],
    );
    const { records: none, nextPageToken } = await t.tape.inspect.readJournal({ runId, fromSeq: journal.length + 1 });
    assert.deepEqual([none, nextPageToken], [[], ""]);
  }),
  rule("R83", "bodies come by the names of their fields, byte for byte", async (t) => {
    const runId = await furnished(t);
    const requestJson = '{ "q": "\\u00e9 \u{1F600}" }';
    await t.tape.recordDecision({ runId, decisionIndex: 0, model: "m", requestJson, responseJson: "[1.0]" });
    await t.tape.endRun({ runId, status: "CANCELLED", detailJson: '{"h":8}' });
    const found = await records(t.tape, { runId, includeBodies: true, pageSize: 5 });
    const bodies = found.filter((record) => Object.keys(record.bodies).length > 0);
    assert.deepEqual(
      bodies.map((record) => record.bodies),
      [
        { request_json: '{"a":1}' },
        { response_json: '{"ok":true}' },
        { request_json: '{"b":2}' },
        { payload_json: '{"c":3}', max_attempts: "5" },
        { resolution_json: '{"d":4}' },
        { payload_json: '{"e":5}' },
        { resolution_json: '{"f":6}' },
        { payload_json: '{"g":7}' },
        { request_json: requestJson, response_json: "[1.0]" },
        { detail_json: '{"h":8}' },
      ],
    );
  }),
  rule("R83", "a compacted run has its journal and its detail, without payloads", async (t) => {
    const runId = await t.run();
    const key = await t.effect(runId, { requestJson: '{"a":1}' });
    await t.tape.completeEffect({ runId, idempotencyKey: key, status: "CONFIRMED", responseJson: "1" });
    await t.tape.endRun({ runId, status: "TERMINAL", detailJson: '{"b":2}' });
    await t.tape.compactRun({ runId });
    const found = await records(t.tape, { runId, includeBodies: true });
    assert.deepEqual(
      found.map(({ entry, bodies }) => [entry.seq, bodies]),
      upTo(4).map((i) => [i + 1, {}]),
    );
    const { effects, endDetailJson } = await t.tape.inspect.getRunDetail({ runId });
    assert.deepEqual(effects, [await t.effectOf(runId, key)]);
    assert.equal(endDetailJson, "");
    assert.deepEqual(kindsOf(await attention(t.tape)), []);
  }),
  rule("R83", "pages stay below the limit of a message, and every entry comes", async (t) => {
    const runId = await t.run();
    const payload = JSON.stringify("x".repeat(4 * 1024 * 1024));
    for (const i of upTo(5)) await t.effect(runId, { callIndex: i, requestJson: payload });
    const { records: first, nextPageToken } = await t.tape.inspect.readJournal({ runId, includeBodies: true });
    assert.ok(first.length < 6 && nextPageToken !== "", `${first.length} records on a page`);
    const all = await records(t.tape, { runId, includeBodies: true });
    assert.equal(all.filter(({ bodies }) => bodies["request_json"] === payload).length, 5);
    const pages = await detailPages(t.tape, { runId });
    assert.ok(pages.length > 1);
    assert.equal(pages.flatMap(({ effects }) => effects).length, 5);
  }),
  rule("R84", "a quiet journal needs nobody", async (t) => {
    const runId = await t.run();
    await t.claim(runId, await t.wire(runId));
    await t.effect(runId);
    await t.waiting("gate");
    assert.deepEqual(await attention(t.tape), []);
  }),
  rule("R84", "an UNKNOWN effect is listed until it is settled, with its run", async (t) => {
    const runId = await t.run();
    const key = await t.unknown(runId);
    const since = t.clock.now();
    await t.clock.advance(500);
    const [item, ...others] = await attention(t.tape);
    assert.deepEqual(others, []);
    assert.deepEqual(part(item, "kind", "sinceMs", "run"), {
      kind: "EFFECT_UNKNOWN",
      sinceMs: since,
      run: await t.get(runId),
    });
    assert.deepEqual(item?.effect, await t.effectOf(runId, key));
    assert.equal(item?.obligation, undefined);
    await t.tape.endRun({ runId, status: "FAILED" });
    assert.deepEqual(kindsOf(await attention(t.tape)), ["EFFECT_UNKNOWN"], "an end settles nothing");
    await t.tape.reconcileEffect({ runId, idempotencyKey: key, resolvedStatus: "CONFIRMED" });
    assert.deepEqual(await attention(t.tape), []);
  }),
  rule(
    "R84",
    "a claim that expires on an act that must not happen twice needs a human from that instant",
    async (t) => {
      const runId = await t.run();
      const key = await t.wire(runId);
      await t.claim(runId, key);
      await t.clock.advance(59_999);
      assert.deepEqual(await attention(t.tape, { kinds: ["EFFECT_UNKNOWN"] }), []);
      await t.clock.advance(1);
      const [item] = await attention(t.tape, { kinds: ["EFFECT_UNKNOWN"] });
      assert.deepEqual([item?.sinceMs, item?.effect?.status], [t.clock.now(), "UNKNOWN"]);
    },
  ),
  rule("R84", "a STUCK run and a STUCK obligation are listed, each until it is mended", async (t) => {
    const runId = await stuckObligation(t);
    const since = t.clock.now();
    await t.clock.advance(10);
    const items = await attention(t.tape);
    assert.deepEqual(
      items.map((item) => part(item, "kind", "sinceMs")),
      [
        { kind: "RUN_STUCK", sinceMs: since },
        { kind: "OBLIGATION_STUCK", sinceMs: since },
      ],
    );
    const [obligation] = await t.obligationsOf(runId);
    assert.deepEqual(items[1]?.obligation, obligation);
    assert.deepEqual(items[0]?.run, await t.get(runId));
    await t.tape.resolveObligation({ runId, obligationSeq: obligation?.seq ?? 0, status: "COMPENSATED" });
    assert.deepEqual(await attention(t.tape), []);
  }),
  rule("R84", "a run that nobody recovers is listed once the bound has passed", async (t) => {
    const { runId } = await t.begin({ leaseTtlMs: 1000 });
    await t.clock.advance(1000);
    const since = t.clock.now();
    await t.clock.advance(59_999);
    assert.deepEqual(await attention(t.tape), []);
    const soon = await attention(t.tape, { recoverableForMs: 1 });
    assert.deepEqual(
      soon.map(({ kind, sinceMs, run }) => [kind, sinceMs, run.runId]),
      [["RUN_RECOVERABLE", since, runId]],
    );
    await t.clock.advance(1);
    assert.deepEqual(kindsOf(await attention(t.tape)), ["RUN_RECOVERABLE"]);
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    assert.deepEqual(await attention(t.tape), []);
  }),
  rule("R84", "the longest waiting comes first over all kinds and runs, in pages of any size", async (t) => {
    const first = await t.run();
    const later = await t.run();
    await t.unknown(first);
    await t.clock.advance(10);
    await stuckObligation(t);
    await t.clock.advance(10);
    await t.unknown(later);
    await t.clock.advance(10);
    await t.unknown(first);
    const expected = ["EFFECT_UNKNOWN", "RUN_STUCK", "OBLIGATION_STUCK", "EFFECT_UNKNOWN", "EFFECT_UNKNOWN"];
    for (const pageSize of [1, 2, 4, 100]) {
      const items = await attention(t.tape, { pageSize });
      assert.deepEqual(kindsOf(items), expected, `pages of ${pageSize}`);
      const unknown = items.filter(({ kind }) => kind === "EFFECT_UNKNOWN");
      assert.deepEqual(
        unknown.map(({ run }) => run.runId),
        [first, later, first],
      );
    }
  }),
  rule("R84", "kinds and tenants filter", async (t) => {
    const red = await t.run({ tenantId: "red" });
    await t.unknown(red);
    await stuckObligation(t);
    assert.deepEqual(kindsOf(await attention(t.tape, { kinds: ["RUN_STUCK"] })), ["RUN_STUCK"]);
    assert.deepEqual(kindsOf(await attention(t.tape, { kinds: ["OBLIGATION_STUCK", "EFFECT_UNKNOWN"] })), [
      "EFFECT_UNKNOWN",
      "OBLIGATION_STUCK",
    ]);
    assert.deepEqual(kindsOf(await attention(t.tape, { tenantId: "red" })), ["EFFECT_UNKNOWN"]);
    await refused(t.tape.inspect.listAttention({ kinds: ["UNSPECIFIED"] }), "ARGUMENT_INVALID");
  }),
  rule("R84", "looking changes nothing", async (t) => {
    const runId = await t.run();
    await t.unknown(runId);
    await t.unchanged(runId, async () => {
      await t.tape.inspect.listAttention();
      await t.tape.inspect.listRuns();
      await t.tape.inspect.getRunDetail({ runId });
      await t.tape.inspect.readJournal({ runId, includeBodies: true });
    });
  }),
  rule("R85", "the store says what it is, and how many runs it has while they are few", async (t) => {
    for (const _ of upTo(3)) await t.run();
    const facts = await t.tape.inspect.describeStore();
    assert.match(facts.kind, /^[a-z]+$/);
    assert.ok(facts.formatVersion >= 1);
    assert.ok(facts.roundTripUs >= 1);
    assert.deepEqual(facts.rowCounts, { run: 3 });
    assert.ok(["true", "false"].includes(facts.capabilities["exclusive"] ?? ""));
    assert.doesNotMatch(JSON.stringify(facts), /:\/\//, "no URL");
  }),
];
