import assert from "node:assert/strict";
import type { EffectResolution, EffectSemantics } from "../../model/effect.ts";
import { part, refusedAs } from "./assertions.ts";
import type { Scene } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

type Observed = Exclude<EffectResolution, "UNSPECIFIED">;

const observable = ["PENDING", "UNKNOWN"] as const;
const semantics = ["IDEMPOTENT", "OBSERVE_ONLY", "NON_IDEMPOTENT"] as const satisfies readonly EffectSemantics[];

/** What an observation makes of a PENDING or UNKNOWN effect. */
const outcomes: Record<Observed, Record<(typeof semantics)[number], string>> = {
  CONFIRMED: { IDEMPOTENT: "CONFIRMED", OBSERVE_ONLY: "CONFIRMED", NON_IDEMPOTENT: "CONFIRMED" },
  FAILED: { IDEMPOTENT: "FAILED", OBSERVE_ONLY: "FAILED", NON_IDEMPOTENT: "FAILED" },
  ABSENT: { IDEMPOTENT: "PENDING", OBSERVE_ONLY: "PENDING", NON_IDEMPOTENT: "FAILED" },
  DUPLICATE: { IDEMPOTENT: "CONFIRMED", OBSERVE_ONLY: "CONFIRMED", NON_IDEMPOTENT: "CONFIRMED" },
  STUCK: { IDEMPOTENT: "UNKNOWN", OBSERVE_ONLY: "UNKNOWN", NON_IDEMPOTENT: "UNKNOWN" },
};

async function effectIn(t: Scene, status: (typeof observable)[number], kind: EffectSemantics) {
  const runId = await t.run();
  const idempotencyKey = await t.outbox(runId, { semantics: kind, scope: "wire" });
  if (status === "UNKNOWN") {
    await t.claim(runId, idempotencyKey);
    await t.tape.recordDispatchAttempt({ runId, idempotencyKey, error: "lost", nextDispatchAtMs: 0 });
  }
  return { runId, idempotencyKey };
}

/** R27: what the outside world said. */
export const observationCases: readonly TapeCase[] = [
  ...(Object.keys(outcomes) as Observed[]).flatMap((resolution) =>
    semantics.flatMap((kind) =>
      observable.map((status) => {
        const outcome = outcomes[resolution][kind];
        return rule("R27", `${resolution} of a ${kind} effect that is ${status}: ${outcome}`, async (t) => {
          const address = await effectIn(t, status, kind);
          const observation = {
            ...address,
            resolution,
            externalRef: "ref-1",
            responseJson: '"seen"',
            errorJson: '"odd"',
            compensateOnDuplicateKind: "refund",
          };
          const effect = await t.tape.recordExternalObservation(observation);
          assert.deepEqual(effect, await t.effectOf(address.runId, address.idempotencyKey));
          assert.deepEqual(part(effect, "status", "externalRef", "dispatchClaimedBy"), {
            status: outcome,
            externalRef: "ref-1",
            dispatchClaimedBy: "",
          });
          assert.equal((await t.get(address.runId)).status, resolution === "STUCK" ? "STUCK" : "RUNNING");
          assert.equal((await t.obligationsOf(address.runId)).length, resolution === "DUPLICATE" ? 1 : 0);
          const { effects } = await t.tape.listEffectsToDispatch();
          assert.deepEqual(
            effects.map((each) => each.idempotencyKey),
            outcome === "PENDING" ? [address.idempotencyKey] : [],
          );
        });
      }),
    ),
  ),
  rule("R27", "DUPLICATE makes, in the same commit, an obligation that is due at once", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.outbox(runId);
    const before = (await t.journal(runId)).length;
    await t.tape.recordExternalObservation({
      runId,
      idempotencyKey,
      resolution: "DUPLICATE",
      compensateOnDuplicateKind: "refund",
    });
    const [obligation, ...others] = await t.obligationsOf(runId);
    assert.deepEqual(others, []);
    assert.deepEqual(part(obligation, "effectKey", "kind", "status", "maxAttempts"), {
      effectKey: idempotencyKey,
      kind: "refund",
      status: "PENDING",
      maxAttempts: 5,
    });
    const written = (await t.journal(runId)).slice(before);
    assert.deepEqual(new Set(written.map((entry) => entry.subject.split("/")[2])), new Set(["effect", "obligation"]));
    const { obligations } = await t.tape.listUnresolvedObligations({ includePending: true });
    assert.deepEqual(obligations, [obligation]);
    const claim = await t.tape.claimObligation({ runId, obligationSeq: obligation?.seq ?? 0, claimer: "c" });
    assert.equal(claim.acquired, true);
    await t.tape.resolveObligation({ runId, obligationSeq: obligation?.seq ?? 0, status: "COMPENSATED" });
    assert.equal((await t.get(runId)).status, "RUNNING");
  }),
  rule("R27", "DUPLICATE makes a promise due that was made before", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.outbox(runId);
    const promise = await t.tape.registerCompensation({
      runId,
      effectKey: idempotencyKey,
      kind: "refund",
      payloadJson: "1",
    });
    const duplicate = { runId, idempotencyKey, resolution: "DUPLICATE", compensateOnDuplicateKind: "refund" } as const;
    await t.tape.recordExternalObservation(duplicate);
    const { obligations } = await t.tape.listUnresolvedObligations({ includePending: true });
    assert.deepEqual(
      obligations.map((each) => part(each, "seq", "payloadJson")),
      [{ seq: promise.seq, payloadJson: "1" }],
    );
    const claim = await t.tape.claimObligation({ runId, obligationSeq: promise.seq, claimer: "c" });
    assert.equal(claim.acquired, true);
  }),
  rule("R27", "STUCK does not change a run that has ended", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.outbox(runId);
    await t.tape.endRun({ runId, status: "TERMINAL" });
    const effect = await t.tape.recordExternalObservation({ runId, idempotencyKey, resolution: "STUCK" });
    assert.deepEqual([effect.status, (await t.get(runId)).status], ["UNKNOWN", "TERMINAL"]);
  }),
  rule("R27", "STUCK makes the run STUCK, and someone's answer lets it go on", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.unknown(runId);
    await t.tape.recordExternalObservation({ runId, idempotencyKey, resolution: "STUCK" });
    assert.equal((await t.verbs(runId)).at(-1), "run/stuck");
    await refusedAs(t.tape.resumeRun({ runId, leaseOwner: "o" }), "FAILED_PRECONDITION");
    await t.tape.reconcileEffect({ runId, idempotencyKey, resolvedStatus: "CONFIRMED" });
    assert.equal((await t.tape.resumeRun({ runId, leaseOwner: "o" })).run.status, "RUNNING");
  }),
  rule("R27", "an inline effect can be observed too", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.effect(runId);
    const { status } = await t.tape.recordExternalObservation({ runId, idempotencyKey, resolution: "CONFIRMED" });
    assert.equal(status, "CONFIRMED");
  }),
  rule("R27", "an absent act of an idempotent effect is due now, whatever was planned", async (t) => {
    const { runId, idempotencyKey } = await effectIn(t, "PENDING", "IDEMPOTENT");
    await t.claim(runId, idempotencyKey);
    await t.tape.recordDispatchAttempt({ runId, idempotencyKey, nextDispatchAtMs: t.clock.now() + 1e6 });
    const effect = await t.tape.recordExternalObservation({ runId, idempotencyKey, resolution: "ABSENT" });
    assert.ok(effect.nextDispatchAtMs <= t.clock.now());
    await t.claim(runId, idempotencyKey, "another");
  }),
  rule("R27", "empty fields do not erase what was recorded", async (t) => {
    const { runId, idempotencyKey } = await effectIn(t, "UNKNOWN", "IDEMPOTENT");
    const full = { externalRef: "ref", responseJson: '"answer"', errorJson: '"error"' };
    await t.tape.recordExternalObservation({ runId, idempotencyKey, resolution: "ABSENT", ...full });
    const effect = await t.tape.recordExternalObservation({ runId, idempotencyKey, resolution: "CONFIRMED" });
    assert.deepEqual(part(effect, "status", "externalRef", "responseJson", "errorJson"), {
      status: "CONFIRMED",
      ...full,
    });
  }),
  rule("R27", "an observation of a settled effect changes nothing and gives the recorded one", async (t) => {
    const runId = await t.run();
    for (const status of ["CONFIRMED", "FAILED"] as const) {
      const idempotencyKey = await t.effect(runId);
      const settled = await t.tape.completeEffect({ runId, idempotencyKey, status, responseJson: "1" });
      for (const resolution of Object.keys(outcomes) as Observed[]) {
        const observation = {
          runId,
          idempotencyKey,
          resolution,
          externalRef: "late",
          compensateOnDuplicateKind: "refund",
        };
        assert.deepEqual(await t.unchanged(runId, () => t.tape.recordExternalObservation(observation)), settled);
      }
    }
    assert.deepEqual(await t.obligationsOf(runId), []);
  }),
];
