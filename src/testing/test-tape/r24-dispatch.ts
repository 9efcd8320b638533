import assert from "node:assert/strict";
import { part, refused, refusedAs } from "./assertions.ts";
import { dispatcher, type Scene } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

async function dispatchable(t: Scene, connector?: string, limit?: number): Promise<string[]> {
  const { effects } = await t.tape.listEffectsToDispatch({ connector, limit });
  return effects.map((effect) => effect.idempotencyKey);
}

const noClaim = { dispatchClaimedBy: "", dispatchClaimExpiresAtMs: 0 };

/** A claimed outbox effect of a run: its address. */
async function claimed(t: Scene, semantics: "IDEMPOTENT" | "NON_IDEMPOTENT" | "OBSERVE_ONLY" = "IDEMPOTENT") {
  const runId = await t.run();
  const idempotencyKey = await t.outbox(runId, { semantics, scope: "wire" });
  await t.claim(runId, idempotencyKey);
  return { runId, idempotencyKey };
}

/** R24 to R26: dispatching outbox effects. */
export const dispatchCases: readonly TapeCase[] = [
  rule(
    "R24",
    "lists outbox effects that are PENDING, due and unclaimed, by due time, of one connector or of all",
    async (t) => {
      const runId = await t.run();
      const first = await t.outbox(runId);
      await t.clock.advance(10);
      const other = await t.outbox(await t.run(), { connector: "mail" });
      const later = await t.outbox(runId);
      const settled = await t.outbox(runId);
      await t.effect(runId, { connector: "bank" });
      await t.tape.completeEffect({ runId, idempotencyKey: settled, status: "FAILED" });
      await t.claim(runId, await t.outbox(runId));
      await t.claim(runId, later);
      await t.tape.recordDispatchAttempt({ runId, idempotencyKey: later, nextDispatchAtMs: t.clock.now() + 1000 });
      assert.deepEqual(await dispatchable(t), [first, other]);
      assert.deepEqual(await dispatchable(t, "bank"), [first]);
      assert.deepEqual(await dispatchable(t, "mail"), [other]);
      assert.deepEqual(await dispatchable(t, "nobody"), []);
      await t.clock.advance(1000);
      assert.deepEqual(await dispatchable(t), [first, other, later]);
      assert.deepEqual(await dispatchable(t, undefined, 2), [first, other]);
      const [effect] = (await t.tape.listEffectsToDispatch({ connector: "mail" })).effects;
      assert.equal(effect?.idempotencyKey, other);
      assert.deepEqual(effect, await t.effectOf(effect.runId, other));
    },
  ),
  rule("R24", "effects of a run that has ended are still dispatched", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.outbox(runId);
    await t.tape.endRun({ runId, status: "TERMINAL" });
    assert.deepEqual(await dispatchable(t), [idempotencyKey]);
    await t.claim(runId, idempotencyKey);
    assert.equal((await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" })).status, "CONFIRMED");
  }),
  rule("R24", "a claim holds 60 s by default, or as long as asked; others get the effect and no claim", async (t) => {
    const { runId, idempotencyKey } = await claimed(t);
    const held = await t.effectOf(runId, idempotencyKey);
    assert.deepEqual(part(held, "status", "dispatchClaimedBy", "dispatchClaimExpiresAtMs"), {
      status: "PENDING",
      dispatchClaimedBy: dispatcher,
      dispatchClaimExpiresAtMs: t.clock.now() + 60_000,
    });
    assert.deepEqual(await dispatchable(t), []);
    await t.clock.advance(59_999);
    const claim = { runId, idempotencyKey, claimer: "another" };
    assert.deepEqual(await t.unchanged(runId, () => t.tape.claimEffectDispatch(claim)), {
      acquired: false,
      effect: held,
    });
    const brief = await t.outbox(runId);
    const { effect } = await t.tape.claimEffectDispatch({
      runId,
      idempotencyKey: brief,
      claimer: dispatcher,
      leaseTtlMs: 2000,
    });
    assert.equal(effect.dispatchClaimExpiresAtMs, t.clock.now() + 2000);
  }),
  rule("R24", "its holder can renew a claim", async (t) => {
    const { runId, idempotencyKey } = await claimed(t);
    await t.clock.advance(50_000);
    const { acquired, effect } = await t.tape.claimEffectDispatch({ runId, idempotencyKey, claimer: dispatcher });
    assert.deepEqual([acquired, effect.dispatchClaimExpiresAtMs], [true, t.clock.now() + 60_000]);
    await t.clock.advance(50_000);
    assert.equal((await t.tape.claimEffectDispatch({ runId, idempotencyKey, claimer: "another" })).acquired, false);
  }),
  rule("R24", "what needs no dispatcher cannot be claimed: inline and settled effects", async (t) => {
    const runId = await t.run();
    const inline = await t.effect(runId);
    const settled = await t.outbox(runId);
    await t.tape.completeEffect({ runId, idempotencyKey: settled, status: "CONFIRMED" });
    for (const idempotencyKey of [inline, settled, await t.unknown(runId)]) {
      const { acquired, effect } = await t.unchanged(runId, () =>
        t.tape.claimEffectDispatch({ runId, idempotencyKey, claimer: "c" }),
      );
      assert.deepEqual([acquired, effect], [false, await t.effectOf(runId, idempotencyKey)]);
    }
  }),

  ...(["IDEMPOTENT", "OBSERVE_ONLY"] as const).map((semantics) =>
    rule("R25", `an expired claim of an ${semantics} effect makes it claimable again, by one`, async (t) => {
      const { runId, idempotencyKey } = await claimed(t, semantics);
      await t.clock.advance(60_001);
      assert.equal((await t.effectOf(runId, idempotencyKey)).status, "PENDING");
      assert.deepEqual(await dispatchable(t), [idempotencyKey]);
      await t.claim(runId, idempotencyKey, "another");
      assert.equal((await t.tape.claimEffectDispatch({ runId, idempotencyKey, claimer: dispatcher })).acquired, false);
      const late = t.tape.recordDispatchAttempt(
        { runId, idempotencyKey, nextDispatchAtMs: 1 },
        { claimer: dispatcher },
      );
      await refused(late, "CLAIM_HELD", { holder: "another" });
    }),
  ),
  rule("R25", "an expired claim of a non-idempotent effect is UNKNOWN from that instant", async (t) => {
    const { runId, idempotencyKey } = await claimed(t, "NON_IDEMPOTENT");
    await t.clock.advance(59_999);
    assert.equal((await t.effectOf(runId, idempotencyKey)).status, "PENDING");
    assert.deepEqual((await t.tape.listPendingEffects({ includeUnknown: true })).effects, []);
    await t.clock.advance(2);
    assert.equal((await t.effectOf(runId, idempotencyKey)).status, "UNKNOWN");
    assert.equal((await t.tape.beginEffect({ runId, toolName: "x", customKey: idempotencyKey })).status, "UNKNOWN");
    const { effects } = await t.tape.listPendingEffects({ includeUnknown: true });
    assert.deepEqual(
      effects.map((effect) => part(effect, "idempotencyKey", "status")),
      [{ idempotencyKey, status: "UNKNOWN" }],
    );
  }),
  rule("R25", "such an effect is never dispatched again by itself, however long it waits", async (t) => {
    const { runId, idempotencyKey } = await claimed(t, "NON_IDEMPOTENT");
    for (const wait of [60_001, 5000, 600_000]) {
      await t.clock.advance(wait);
      assert.deepEqual(await dispatchable(t), []);
      for (const claimer of [dispatcher, "another"]) {
        const { acquired, effect } = await t.tape.claimEffectDispatch({ runId, idempotencyKey, claimer });
        assert.deepEqual([acquired, effect.status], [false, "UNKNOWN"]);
      }
    }
    const late = { runId, idempotencyKey, status: "CONFIRMED", responseJson: '"late"' } as const;
    assert.equal((await t.tape.completeEffect(late)).status, "UNKNOWN");
    assert.equal((await t.tape.reconcileEffect({ ...late, resolvedStatus: "CONFIRMED" })).status, "CONFIRMED");
  }),
  rule("R25", "the journal says that the outcome was unknown, once", async (t) => {
    const { runId, idempotencyKey } = await claimed(t, "NON_IDEMPOTENT");
    await t.clock.advance(60_001);
    await t.byItself(
      async () => (await t.verbs(runId, "effect")).includes("effect/unknown"),
      "no entry effect/unknown was written",
    );
    await t.tape.reconcileEffect({ runId, idempotencyKey, resolvedStatus: "FAILED" });
    assert.deepEqual(await t.verbs(runId, "effect"), [
      "effect/pending",
      "effect/claimed",
      "effect/unknown",
      "effect/failed",
    ]);
  }),
  rule("R25", "the holder of an expired claim cannot renew it, nor say when to try again", async (t) => {
    const { runId, idempotencyKey } = await claimed(t, "NON_IDEMPOTENT");
    await t.clock.advance(60_001);
    assert.equal((await t.tape.claimEffectDispatch({ runId, idempotencyKey, claimer: dispatcher })).acquired, false);
    const again = { runId, idempotencyKey, nextDispatchAtMs: t.clock.now() };
    await refusedAs(t.tape.recordDispatchAttempt(again), "FAILED_PRECONDITION");
    await refused(t.tape.recordDispatchAttempt(again, { claimer: dispatcher }), "CLAIM_HELD");
    assert.equal((await t.effectOf(runId, idempotencyKey)).status, "UNKNOWN");
  }),

  rule("R26", "an attempt without an outcome is counted, frees the claim and says when to try again", async (t) => {
    const { runId, idempotencyKey } = await claimed(t, "NON_IDEMPOTENT");
    for (const attempt of [1, 2, 3]) {
      const dueAt = t.clock.now() + 500;
      const effect = await t.tape.recordDispatchAttempt({
        runId,
        idempotencyKey,
        error: `busy ${attempt}`,
        nextDispatchAtMs: dueAt,
      });
      assert.deepEqual(effect, await t.effectOf(runId, idempotencyKey));
      assert.deepEqual(
        part(
          effect,
          "status",
          "dispatchAttempts",
          "nextDispatchAtMs",
          "lastDispatchError",
          "dispatchClaimedBy",
          "dispatchClaimExpiresAtMs",
        ),
        {
          status: "PENDING",
          dispatchAttempts: attempt,
          nextDispatchAtMs: dueAt,
          lastDispatchError: `busy ${attempt}`,
          ...noClaim,
        },
      );
      assert.deepEqual(await dispatchable(t), []);
      await t.clock.advance(500);
      assert.deepEqual(await dispatchable(t), [idempotencyKey]);
      await t.claim(runId, idempotencyKey);
    }
  }),
  ...[0, -1].map((nextDispatchAtMs) =>
    rule(
      "R26",
      `an attempt that is not to be repeated (next_dispatch_at_ms ${nextDispatchAtMs}) makes the effect UNKNOWN`,
      async (t) => {
        for (const semantics of ["IDEMPOTENT", "NON_IDEMPOTENT"] as const) {
          const { runId, idempotencyKey } = await claimed(t, semantics);
          const effect = await t.tape.recordDispatchAttempt({ runId, idempotencyKey, error: "lost", nextDispatchAtMs });
          assert.deepEqual(part(effect, "status", "dispatchAttempts", "lastDispatchError", "dispatchClaimedBy"), {
            status: "UNKNOWN",
            dispatchAttempts: 1,
            lastDispatchError: "lost",
            dispatchClaimedBy: "",
          });
          assert.equal((await t.verbs(runId, "effect")).at(-1), "effect/unknown");
        }
        assert.deepEqual(await dispatchable(t), []);
      },
    ),
  ),
  rule("R26", "an attempt is recorded by the current claimer of a PENDING effect only", async (t) => {
    const { runId, idempotencyKey } = await claimed(t);
    const attempt = (options = {}) =>
      t.tape.recordDispatchAttempt({ runId, idempotencyKey, nextDispatchAtMs: t.clock.now() }, options);
    await t.unchanged(runId, () => refused(attempt({ claimer: "another" }), "CLAIM_HELD", { holder: dispatcher }));
    await attempt();
    await t.unchanged(runId, () => refusedAs(attempt(), "FAILED_PRECONDITION"));
    await t.claim(runId, idempotencyKey);
    await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    await t.unchanged(runId, () => refusedAs(attempt(), "FAILED_PRECONDITION"));
  }),
];
