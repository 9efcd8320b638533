import assert from "node:assert/strict";
import type { EffectSemantics, EffectStatus } from "../../model/effect.ts";
import { part, refused, upTo } from "./assertions.ts";
import type { Scene } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

const semantics = ["IDEMPOTENT", "OBSERVE_ONLY", "NON_IDEMPOTENT"] as const satisfies readonly EffectSemantics[];
const statuses = ["PENDING", "CONFIRMED", "FAILED", "UNKNOWN"] as const satisfies readonly EffectStatus[];
const outcomes = ["CONFIRMED", "FAILED", "UNKNOWN"] as const;

/** What CompleteEffect must leave, for each status the effect is in: the outcome asked for, or the recorded one. */
const completion: Record<
  (typeof statuses)[number],
  Record<(typeof outcomes)[number], "taken" | "recorded" | "by semantics">
> = {
  PENDING: { CONFIRMED: "taken", FAILED: "taken", UNKNOWN: "taken" },
  CONFIRMED: { CONFIRMED: "recorded", FAILED: "recorded", UNKNOWN: "recorded" },
  FAILED: { CONFIRMED: "recorded", FAILED: "recorded", UNKNOWN: "recorded" },
  UNKNOWN: { CONFIRMED: "by semantics", FAILED: "by semantics", UNKNOWN: "recorded" },
};

/** An outbox effect in this status, its answer and error telling where they come from. */
async function effectIn(
  t: Scene,
  status: EffectStatus,
  kind: EffectSemantics,
): Promise<{ runId: string; idempotencyKey: string }> {
  const runId = await t.run();
  const idempotencyKey = await t.outbox(runId, { semantics: kind, scope: "wire" });
  if (status !== "PENDING") {
    await t.tape.completeEffect({ runId, idempotencyKey, status, responseJson: '"first"', errorJson: '"first"' });
  }
  return { runId, idempotencyKey };
}

/** R23 and R28: settling effects. */
export const settlingCases: readonly TapeCase[] = [
  ...semantics.flatMap((kind) =>
    statuses.flatMap((status) =>
      outcomes.map((outcome) => {
        const cell = completion[status][outcome];
        const taken = cell === "taken" || (cell === "by semantics" && kind !== "NON_IDEMPOTENT");
        return rule(
          "R23",
          `CompleteEffect(${outcome}) of a ${kind} effect that is ${status}: ${taken ? outcome : "the recorded one"}`,
          async (t) => {
            const address = await effectIn(t, status, kind);
            const before = await t.effectOf(address.runId, address.idempotencyKey);
            const complete = () =>
              t.tape.completeEffect({ ...address, status: outcome, responseJson: '"late"', errorJson: '"late"' });
            const settled = taken ? await complete() : await t.unchanged(address.runId, complete);
            assert.deepEqual(settled, await t.effectOf(address.runId, address.idempotencyKey));
            if (!taken) assert.deepEqual(settled, before);
            else {
              assert.deepEqual(part(settled, "status", "responseJson", "errorJson"), {
                status: outcome,
                responseJson: '"late"',
                errorJson: '"late"',
              });
              assert.equal((await t.verbs(address.runId, "effect")).at(-1), `effect/${outcome.toLowerCase()}`);
            }
          },
        );
      }),
    ),
  ),
  rule("R23", "settling an effect frees its claim", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.outbox(runId);
    await t.claim(runId, idempotencyKey);
    const settled = await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    assert.deepEqual(part(settled, "dispatchClaimedBy", "dispatchClaimExpiresAtMs"), {
      dispatchClaimedBy: "",
      dispatchClaimExpiresAtMs: 0,
    });
    assert.equal((await t.tape.claimEffectDispatch({ runId, idempotencyKey, claimer: "c" })).acquired, false);
  }),

  ...(["CONFIRMED", "FAILED"] as const).flatMap((outcome) =>
    statuses.map((status) => {
      const taken = status === "PENDING" || status === "UNKNOWN";
      return rule(
        "R28",
        `ReconcileEffect(${outcome}) of an effect that is ${status}: ${taken ? outcome : "the recorded one"}`,
        async (t) => {
          const address = await effectIn(t, status, "NON_IDEMPOTENT");
          const before = await t.effectOf(address.runId, address.idempotencyKey);
          const reconcile = () =>
            t.tape.reconcileEffect({
              ...address,
              resolvedStatus: outcome,
              responseJson: '"human"',
              errorJson: '"human"',
            });
          const settled = taken ? await reconcile() : await t.unchanged(address.runId, reconcile);
          assert.deepEqual(settled, await t.effectOf(address.runId, address.idempotencyKey));
          if (!taken) assert.deepEqual(settled, before);
          else
            assert.deepEqual(part(settled, "status", "responseJson", "errorJson"), {
              status: outcome,
              responseJson: '"human"',
              errorJson: '"human"',
            });
        },
      );
    }),
  ),
  rule("R28", "ReconcileEffect takes an outcome and nothing else", async (t) => {
    const address = await effectIn(t, "UNKNOWN", "NON_IDEMPOTENT");
    for (const resolvedStatus of ["PENDING", "UNKNOWN", "UNSPECIFIED"] as const) {
      await t.unchanged(address.runId, () =>
        refused(t.tape.reconcileEffect({ ...address, resolvedStatus }), "ARGUMENT_INVALID"),
      );
    }
  }),
  rule("R28", "lists UNKNOWN effects of any age and PENDING inline ones of some age, oldest first", async (t) => {
    const runId = await t.run();
    const old = await t.effect(runId);
    const outbox = await t.outbox(runId);
    await t.clock.advance(5000);
    const settled = await t.effect(runId);
    await t.tape.completeEffect({ runId, idempotencyKey: settled, status: "CONFIRMED" });
    const middle = await t.effect(runId);
    await t.clock.advance(5000);
    const unknown = await t.unknown(runId);
    const young = await t.effect(runId);
    await t.clock.advance(10);
    const list = async (olderThanMs: number, includePending: boolean, includeUnknown: boolean, limit?: number) => {
      const { effects } = await t.tape.listPendingEffects({ olderThanMs, includePending, includeUnknown, limit });
      return effects.map((effect) => effect.idempotencyKey);
    };
    assert.deepEqual(await list(0, true, true), [old, middle, unknown, young]);
    assert.deepEqual(await list(1000, true, true), [old, middle, unknown]);
    assert.deepEqual(await list(1000, true, false), [old, middle]);
    assert.deepEqual(await list(9000, true, false), [old]);
    assert.deepEqual(await list(9000, false, true), [unknown]);
    assert.deepEqual(await list(0, true, true, 2), [old, middle]);
    assert.deepEqual(await list(1000, false, false), [old, middle, unknown], "asking for neither means both");
    const [first] = (await t.tape.listPendingEffects({ olderThanMs: 0, includePending: true, limit: 1 })).effects;
    assert.deepEqual(first, await t.effectOf(runId, old));
    assert.ok(
      !(await list(0, true, true)).includes(outbox),
      "an outbox effect that waits for its dispatcher needs nobody",
    );
    for (const idempotencyKey of [old, middle, young])
      await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    await t.tape.reconcileEffect({ runId, idempotencyKey: unknown, resolvedStatus: "CONFIRMED" });
    assert.deepEqual(await list(0, true, true), []);
  }),
  rule("R28", "lists effects of many runs, also of runs that have ended", async (t) => {
    const keys = [];
    for (const _ of upTo(5)) {
      const runId = await t.run();
      keys.push(await t.unknown(runId));
      await t.tape.endRun({ runId, status: "FAILED" });
      await t.clock.advance(10);
    }
    const { effects } = await t.tape.listPendingEffects({ includeUnknown: true });
    assert.deepEqual(
      effects.map((effect) => effect.idempotencyKey),
      keys,
    );
  }),
];
