import type { EffectRecord, EffectResolution } from "../../../src/model/effect.ts";
import type { Life } from "./actor.ts";
import type { Stage } from "./stage.ts";

const oldMs = 3000;

/** One round of a reconciler: it asks the outside world about every effect without an outcome, and writes that down. */
export async function reconcilerRound(life: Life, stage: Stage): Promise<void> {
  const { effects } = await life.call({
    method: "ListPendingEffects",
    about: "",
    send: (tape, options) => tape.listPendingEffects({ limit: 4, olderThanMs: oldMs }, options),
  });
  for (const effect of effects) await reconcile(life, stage, effect);
}

async function reconcile(life: Life, stage: Stage, effect: EffectRecord): Promise<void> {
  const { runId, idempotencyKey, dispatchMode } = effect;
  const happened = stage.ledger.acts(runId, idempotencyKey) > 0;
  const requestId = life.requestId();
  if (dispatchMode === "INLINE") {
    const resolvedStatus = happened ? "CONFIRMED" : "FAILED";
    await life.call({
      method: "ReconcileEffect",
      about: `${idempotencyKey} of ${runId}, ${resolvedStatus}`,
      options: { requestId },
      send: (tape, options) => tape.reconcileEffect({ runId, idempotencyKey, resolvedStatus }, options),
    });
    return;
  }
  const { random, calm } = life.world;
  const odd = !calm && random.chance(happened ? 0.3 : 0.1);
  const told: EffectResolution = happened ? (odd ? "DUPLICATE" : "CONFIRMED") : odd ? "STUCK" : "ABSENT";
  const externalRef = random.chance(0.5) ? `seen-${life.world.number()}` : "";
  const request = {
    runId,
    idempotencyKey,
    resolution: told,
    compensateOnDuplicateKind: random.pick(["refund", "undo"]),
    externalRef,
  };
  await life.call({
    method: "RecordExternalObservation",
    about: `${idempotencyKey} of ${runId}, ${told}`,
    options: { requestId },
    send: (tape, options) => tape.recordExternalObservation(request, options),
  });
}
