import assert from "node:assert/strict";
import { TapeError } from "../../errors.ts";
import type { Tape } from "../../model/tape.ts";
import { refused } from "./assertions.ts";
import { dispatcher, farFuture } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

const runId = "r-nobody-began-this";
const effect = { runId, idempotencyKey: "k" };
const due = { runId, obligationSeq: 1 };

/** Every call that names a run, on one that nobody began. */
const onAbsentRun: Readonly<Record<string, (tape: Tape) => Promise<unknown>>> = {
  ResumeRun: (tape) => tape.resumeRun({ runId, leaseOwner: "o" }),
  EndRun: (tape) => tape.endRun({ runId, status: "FAILED" }),
  GetRun: (tape) => tape.getRun({ runId }),
  SubscribeRun: async (tape) => {
    for await (const entry of tape.subscribeRun({ runId })) assert.fail(`an entry of no run: ${entry.subject}`);
  },
  RecordDecision: (tape) => tape.recordDecision({ runId, decisionIndex: 0 }),
  GetDecision: (tape) => tape.getDecision({ runId, decisionIndex: 0 }),
  BeginEffect: (tape) => tape.beginEffect({ runId, toolName: "t" }),
  CompleteEffect: (tape) => tape.completeEffect({ ...effect, status: "FAILED" }),
  GetEffect: (tape) => tape.getEffect(effect),
  ReconcileEffect: (tape) => tape.reconcileEffect({ ...effect, resolvedStatus: "FAILED" }),
  ClaimEffectDispatch: (tape) => tape.claimEffectDispatch({ ...effect, claimer: "c" }),
  RecordDispatchAttempt: (tape) => tape.recordDispatchAttempt({ ...effect }),
  RecordExternalObservation: (tape) => tape.recordExternalObservation({ ...effect, resolution: "FAILED" }),
  RegisterCompensation: (tape) => tape.registerCompensation({ runId, effectKey: "k", kind: "undo" }),
  ListObligations: (tape) => tape.listObligations({ runId }),
  ResolveObligation: (tape) => tape.resolveObligation({ ...due, status: "STUCK" }),
  ClaimObligation: (tape) => tape.claimObligation({ ...due, claimer: "c" }),
  RecordObligationAttempt: (tape) => tape.recordObligationAttempt({ ...due }),
  SetBudget: (tape) => tape.setBudget({ runId }),
  AdmitBudget: (tape) => tape.admitBudget({ runId }),
  ChargeBudget: (tape) => tape.chargeBudget({ runId, tokens: 1 }),
  AwaitSignal: (tape) => tape.awaitSignal({ runId, gateName: "g" }),
  SendSignal: (tape) => tape.sendSignal({ runId, gateName: "g" }),
  SetTimer: (tape) => tape.setTimer({ runId, timerId: "t", fireAtMs: farFuture, kind: "wake" }),
  CancelTimer: (tape) => tape.cancelTimer({ runId, timerId: "t" }),
};

/** R9: every error has its reason, its status and the ids concerned. */
export const errorCases: readonly TapeCase[] = [
  ...Object.entries(onAbsentRun).map(([call, send]) =>
    rule("R9", `${call} on a run that nobody began is RUN_NOT_FOUND and makes none`, async (t) => {
      await refused(send(t.tape), "RUN_NOT_FOUND", { run_id: runId });
      await refused(t.tape.getRun({ runId }), "RUN_NOT_FOUND");
    }),
  ),
  rule("R9", "an effect that nobody began is EFFECT_NOT_FOUND, and EFFECT_NOT_BEGUN for CompleteEffect", async (t) => {
    const mine = await t.run();
    const missing = { runId: mine, idempotencyKey: "missing" };
    await t.unchanged(mine, async () => {
      await refused(t.tape.completeEffect({ ...missing, status: "CONFIRMED" }), "EFFECT_NOT_BEGUN", { run_id: mine });
      for (const call of [
        () => t.tape.reconcileEffect({ ...missing, resolvedStatus: "FAILED" }),
        () => t.tape.claimEffectDispatch({ ...missing, claimer: dispatcher }),
        () => t.tape.recordDispatchAttempt(missing),
        () => t.tape.recordExternalObservation({ ...missing, resolution: "CONFIRMED" }),
        () => t.tape.registerCompensation({ runId: mine, effectKey: "missing", kind: "undo" }),
      ]) {
        await refused(call, "EFFECT_NOT_FOUND", { run_id: mine });
      }
    });
    const { found, effect: record } = await t.tape.getEffect(missing);
    assert.deepEqual([found, record], [false, undefined]);
  }),
  rule("R9", "an obligation that nobody registered is OBLIGATION_NOT_FOUND", async (t) => {
    const mine = await t.run();
    for (const obligationSeq of [1, 99]) {
      const missing = { runId: mine, obligationSeq };
      await refused(t.tape.claimObligation({ ...missing, claimer: "c" }), "OBLIGATION_NOT_FOUND", { run_id: mine });
      await refused(t.tape.resolveObligation({ ...missing, status: "COMPENSATED" }), "OBLIGATION_NOT_FOUND");
      await refused(t.tape.recordObligationAttempt(missing), "OBLIGATION_NOT_FOUND");
    }
  }),
  rule("R9", "a lease held by another names the run and the holder", async (t) => {
    const { runId: mine } = await t.begin({ invocationId: "i", leaseOwner: "ada" });
    const ids = { run_id: mine, holder: "ada" };
    await refused(t.begin({ invocationId: "i", leaseOwner: "bob" }), "LEASE_HELD", ids);
    await refused(t.tape.resumeRun({ runId: mine, leaseOwner: "bob" }), "LEASE_HELD", ids);
  }),
  rule("R9", "a claim held by another names the holder", async (t) => {
    const mine = await t.run();
    const idempotencyKey = await t.outbox(mine);
    await t.claim(mine, idempotencyKey, "ada");
    const attempt = t.tape.recordDispatchAttempt(
      { runId: mine, idempotencyKey, nextDispatchAtMs: 1 },
      { claimer: "bob" },
    );
    await refused(attempt, "CLAIM_HELD", { run_id: mine, holder: "ada" });
  }),
  rule("R9", "a version that is not current names the current one", async (t) => {
    const place = { namespace: "n", key: "k", valueJson: "1", ifVersion: -1 };
    await t.tape.writeValue(place);
    await t.tape.writeValue(place);
    await refused(t.tape.writeValue({ ...place, ifVersion: 1 }), "VERSION_MISMATCH", { current_version: "2" });
  }),
  rule("R9", "a session that exists, and one that does not, are named", async (t) => {
    const session = { appName: "app", userId: "u", sessionId: "s" };
    await refused(t.tape.appendEvent({ ...session, event: {} }), "SESSION_NOT_FOUND", { session_id: "s" });
    await t.tape.createSession(session);
    await refused(t.tape.createSession({ ...session, stateJson: '{"a":1}' }), "SESSION_EXISTS", { session_id: "s" });
  }),
  rule("R9", "messages say something and hold no payload", async (t) => {
    const secret = "hunter2-do-not-print";
    const mine = await t.run();
    const idempotencyKey = await t.effect(mine, { requestJson: JSON.stringify(secret) });
    await t.tape.completeEffect({
      runId: mine,
      idempotencyKey,
      status: "CONFIRMED",
      responseJson: JSON.stringify(secret),
    });
    await t.tape.endRun({ runId: mine, status: "TERMINAL" });
    const calls = [
      t.tape.recordDecision({ runId: mine, decisionIndex: 0, requestJson: `{${secret}` }),
      t.tape.recordDecision({ runId: mine, decisionIndex: 0, requestJson: JSON.stringify(secret) }),
      t.tape.beginEffect({ runId: mine, toolName: "x", requestJson: JSON.stringify(secret) }),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      assert.ok(outcome.status === "rejected" && outcome.reason instanceof TapeError);
      assert.ok(outcome.reason.message.length > 10, "a message says what happened");
      assert.ok(
        !`${outcome.reason.message} ${JSON.stringify(outcome.reason.ids)}`.includes(secret),
        outcome.reason.message,
      );
    }
  }),
  rule("R9", "a call whose signal has fired is CANCELLED, and a retry finds or makes the write", async (t) => {
    const mine = await t.run();
    const decision = { runId: mine, decisionIndex: 0, responseJson: "1" };
    await refused(t.tape.recordDecision(decision, { signal: AbortSignal.abort() }), "CANCELLED");
    assert.equal((await t.tape.recordDecision(decision)).responseJson, "1");
    assert.deepEqual(await t.verbs(mine, "decision"), ["decision/recorded"]);
  }),
];
