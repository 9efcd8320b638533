import assert from "node:assert/strict";
import { part, refused, refusedAs } from "./assertions.ts";
import { dispatcher } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

/** A value that the types do not have, as an older or broken client may send it. */
const outOfRange = "NONSENSE" as never;

/** R4 and R5: what was settled stays, and only the transitions of the rules exist. */
export const outcomeCases: readonly TapeCase[] = [
  rule("R4", "a late writer of a decision gets the recorded one", async (t) => {
    const runId = await t.run();
    const first = await t.tape.recordDecision({ runId, decisionIndex: 0, responseJson: '"first"' });
    const late = await t.unchanged(runId, () =>
      t.tape.recordDecision({ runId, decisionIndex: 0, responseJson: '"late"' }),
    );
    assert.deepEqual(late, { ...first, diverged: true });
  }),
  rule("R4", "a late writer of an effect gets the recorded outcome, whoever writes it", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.effect(runId);
    const address = { runId, idempotencyKey };
    const first = await t.tape.completeEffect({ ...address, status: "CONFIRMED", responseJson: '"first"' });
    const late = await t.unchanged(runId, async () => [
      await t.tape.completeEffect({ ...address, status: "FAILED", errorJson: '"late"' }),
      await t.tape.completeEffect({ ...address, status: "CONFIRMED", responseJson: '"late"' }),
      await t.tape.reconcileEffect({ ...address, resolvedStatus: "FAILED" }),
      await t.tape.recordExternalObservation({ ...address, resolution: "FAILED", externalRef: "late" }),
    ]);
    assert.deepEqual(late, [first, first, first, first]);
  }),
  rule("R4", "a late signal does not change the answer of a gate", async (t) => {
    const runId = await t.waiting("gate");
    await t.tape.sendSignal({ runId, gateName: "gate", resolutionJson: '"first"' });
    const late = await t.unchanged(runId, () =>
      t.tape.sendSignal({ runId, gateName: "gate", resolutionJson: '"late"' }),
    );
    assert.equal(late.accepted, false);
    await t.tape.resumeRun({ runId, leaseOwner: "agent" });
    const answer = await t.tape.awaitSignal({ runId, gateName: "gate" });
    assert.deepEqual(answer, { delivered: true, resolutionJson: '"first"' });
  }),
  rule("R4", "a late writer of an obligation gets the recorded outcome", async (t) => {
    const { runId, obligations } = await t.undone(2);
    const due = { runId, obligationSeq: obligations[0]?.seq ?? 0 };
    await t.tape.claimObligation({ ...due, claimer: dispatcher });
    const first = await t.tape.resolveObligation({ ...due, status: "COMPENSATED", resultJson: '"first"' });
    const late = await t.unchanged(runId, async () => [
      await t.tape.resolveObligation({ ...due, status: "STUCK", resultJson: '"late"' }),
      await t.tape.resolveObligation({ ...due, status: "COMPENSATED", resultJson: '"late"' }),
    ]);
    assert.deepEqual(late, [first, first]);
  }),

  rule("R5", "enum values that are needed and missing, out of range, or not a target are refused", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.effect(runId);
    const { obligations, runId: undoneId } = await t.undone(1);
    const obligation = { runId: undoneId, obligationSeq: obligations[0]?.seq ?? 0 };
    for (const status of ["UNSPECIFIED", "RUNNABLE", "RUNNING", "WAITING", outOfRange] as const) {
      await refused(t.tape.endRun({ runId, status }), "ARGUMENT_INVALID");
    }
    for (const status of ["UNSPECIFIED", "PENDING", outOfRange] as const) {
      await refused(t.tape.completeEffect({ runId, idempotencyKey, status }), "ARGUMENT_INVALID");
    }
    for (const resolvedStatus of ["UNSPECIFIED", "PENDING", "UNKNOWN", outOfRange] as const) {
      await refused(t.tape.reconcileEffect({ runId, idempotencyKey, resolvedStatus }), "ARGUMENT_INVALID");
    }
    for (const resolution of ["UNSPECIFIED", outOfRange] as const) {
      await refused(t.tape.recordExternalObservation({ runId, idempotencyKey, resolution }), "ARGUMENT_INVALID");
    }
    for (const status of ["UNSPECIFIED", "PENDING", "COMMITTED", outOfRange] as const) {
      await refused(t.tape.resolveObligation({ ...obligation, status }), "ARGUMENT_INVALID");
    }
    for (const bad of [{ semantics: outOfRange }, { dispatchMode: outOfRange }]) {
      await refused(t.tape.beginEffect({ runId, toolName: "tool", ...bad }), "ARGUMENT_INVALID");
    }
    await refused(t.tape.listObligations({ runId, statusFilter: outOfRange }), "ARGUMENT_INVALID");
    assert.deepEqual(await t.verbs(runId), ["run/running", "effect/pending"]);
    assert.equal((await t.get(undoneId)).status, "COMPENSATING");
  }),
  rule("R5", "a transition that does not exist is refused and writes nothing", async (t) => {
    const runId = await t.waiting("gate");
    await t.unchanged(runId, () =>
      refusedAs(t.tape.awaitSignal({ runId, gateName: "another" }), "FAILED_PRECONDITION"),
    );
    const running = await t.run();
    const idempotencyKey = await t.outbox(running);
    await t.unchanged(running, async () => {
      await refusedAs(t.tape.recordDispatchAttempt({ runId: running, idempotencyKey }), "FAILED_PRECONDITION");
      await refused(
        t.tape.completeEffect({ runId: running, idempotencyKey: "never", status: "FAILED" }),
        "EFFECT_NOT_BEGUN",
      );
    });
  }),
  rule("R5", "what a call does not change stays as it was", async (t) => {
    const runId = await t.run({ labels: { team: "red" }, scopes: ["wire", "read"], actor: "ada" });
    const before = await t.get(runId);
    await t.tape.endRun({ runId, status: "CANCELLED" });
    const kept = [
      "runId",
      "appName",
      "userId",
      "sessionId",
      "invocationId",
      "labels",
      "scopes",
      "actor",
      "startedAtMs",
    ] as const;
    assert.deepEqual(part(await t.get(runId), ...kept), part(before, ...kept));
  }),
];
