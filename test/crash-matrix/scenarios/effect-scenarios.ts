import { claimRow } from "../../../src/codec/row-id.ts";
import { begin, claimed, farFuture, leaseMs, onRun, onRunning, outbox, partition, promise } from "./run-scene.ts";
import { scenario, type Scenario } from "./scenario.ts";

/** Calls about effects and about the obligations that come of them. */
export const effectScenarios: readonly Scenario[] = [
  scenario("BeginEffect", "beginEffect", async (tape, name) => {
    const runId = await begin(tape, name);
    const effect = { runId, decisionIndex: 1, toolName: "act", requestJson: '{"a":1}' };
    return onRunning(runId, name, (caller, options) => caller.beginEffect(effect, options), ["pending"]);
  }),
  scenario("BeginEffect, business key", "beginEffect", async (tape, name) => {
    const runId = await begin(tape, name);
    const effect = { runId, toolName: "send", dispatchMode: "OUTBOX", connector: name, businessKey: name } as const;
    const prepared = onRunning(runId, name, (caller, options) => caller.beginEffect(effect, options), ["dispatch"]);
    return { ...prepared, rows: [claimRow(partition, "", name, name), ...prepared.rows] };
  }),
  scenario("CompleteEffect", "completeEffect", async (tape, name) => {
    const runId = await begin(tape, name);
    const { idempotencyKey } = await tape.beginEffect({ runId, decisionIndex: 1, toolName: "act" });
    const outcome = { runId, idempotencyKey, status: "CONFIRMED", responseJson: '{"ok":true}' } as const;
    return onRunning(runId, name, (caller, options) => caller.completeEffect(outcome, options), ["pending"]);
  }),
  scenario("ReconcileEffect", "reconcileEffect", async (tape, name) => {
    const runId = await begin(tape, name);
    const { idempotencyKey } = await tape.beginEffect({ runId, decisionIndex: 1, toolName: "act" });
    await tape.completeEffect({ runId, idempotencyKey, status: "UNKNOWN" });
    const found = { runId, idempotencyKey, resolvedStatus: "FAILED", errorJson: '"no"' } as const;
    return onRunning(runId, name, (caller, options) => caller.reconcileEffect(found, options), ["pending"]);
  }),
  scenario("ClaimEffectDispatch", "claimEffectDispatch", async (tape, name) => {
    const runId = await begin(tape, name);
    const idempotencyKey = await outbox(tape, runId, name);
    const claim = { runId, idempotencyKey, claimer: name, leaseTtlMs: leaseMs };
    return onRunning(runId, name, (caller, options) => caller.claimEffectDispatch(claim, options), ["dispatch"]);
  }),
  scenario("RecordDispatchAttempt", "recordDispatchAttempt", async (tape, name) => {
    const runId = await begin(tape, name);
    const idempotencyKey = await claimed(tape, runId, name);
    const attempt = { runId, idempotencyKey, error: "busy", nextDispatchAtMs: farFuture };
    return onRunning(runId, name, (caller, options) => caller.recordDispatchAttempt(attempt, options));
  }),
  scenario("RecordExternalObservation", "recordExternalObservation", async (tape, name) => {
    const runId = await begin(tape, name);
    const idempotencyKey = await claimed(tape, runId, name);
    const observed = { runId, idempotencyKey, resolution: "CONFIRMED", externalRef: "ref" } as const;
    return onRunning(runId, name, (caller, options) => caller.recordExternalObservation(observed, options));
  }),
  scenario("RecordExternalObservation, duplicate", "recordExternalObservation", async (tape, name) => {
    const runId = await begin(tape, name);
    const idempotencyKey = await claimed(tape, runId, name);
    const observed = { runId, idempotencyKey, resolution: "DUPLICATE", compensateOnDuplicateKind: "undo" } as const;
    return onRunning(runId, name, (caller, options) => caller.recordExternalObservation(observed, options), [
      "unresolved",
    ]);
  }),
  scenario("RegisterCompensation", "registerCompensation", async (tape, name) => {
    const runId = await begin(tape, name);
    const { effectKey } = await promise(tape, runId);
    const obligation = { runId, effectKey, kind: "tell", payloadJson: '{"p":1}' };
    return onRunning(runId, name, (caller, options) => caller.registerCompensation(obligation, options));
  }),
  scenario("ClaimObligation", "claimObligation", async (tape, name) => {
    const runId = await begin(tape, name);
    const { seq } = await promise(tape, runId);
    await tape.endRun({ runId, status: "COMPENSATING" });
    const claim = { runId, obligationSeq: seq, claimer: name, leaseTtlMs: leaseMs };
    return onRun(runId, name, (caller, options) => caller.claimObligation(claim, options), ["unresolved"]);
  }),
  scenario("RecordObligationAttempt", "recordObligationAttempt", async (tape, name) => {
    const runId = await begin(tape, name);
    const { seq } = await promise(tape, runId);
    await tape.endRun({ runId, status: "COMPENSATING" });
    await tape.claimObligation({ runId, obligationSeq: seq, claimer: name, leaseTtlMs: leaseMs });
    const attempt = { runId, obligationSeq: seq, error: "busy", nextAttemptAtMs: farFuture };
    return onRun(runId, name, (caller, options) => caller.recordObligationAttempt(attempt, options));
  }),
  scenario("ResolveObligation", "resolveObligation", async (tape, name) => {
    const runId = await begin(tape, name);
    await promise(tape, runId);
    const { effectKey } = await promise(tape, runId);
    const { seq } = await tape.registerCompensation({ runId, effectKey, kind: "tell" });
    await tape.endRun({ runId, status: "COMPENSATING" });
    await tape.claimObligation({ runId, obligationSeq: seq, claimer: name, leaseTtlMs: leaseMs });
    const done = { runId, obligationSeq: seq, status: "COMPENSATED", resultJson: "{}" } as const;
    return onRun(runId, name, (caller, options) => caller.resolveObligation(done, options), ["unresolved"]);
  }),
];
