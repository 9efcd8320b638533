import { TapeError } from "../../../src/errors.ts";
import type { Life } from "./actor.ts";
import type { Stage } from "./stage.ts";

/** One round of an operator: it resolves what is STUCK, lets the run go on, and cancels one now and then, sometimes too soon. */
export async function operatorRound(life: Life, stage: Stage): Promise<void> {
  const { random, calm } = life.world;
  const runIds = [...stage.begun.values()];
  if (!calm) await meddle(life, stage, runIds);
  const { obligations } = await life.call({
    method: "ListUnresolvedObligations",
    about: "STUCK",
    send: (tape, options) => tape.listUnresolvedObligations({ includeStuck: true }, options),
  });
  for (const { runId, seq } of obligations) {
    await life.call({
      method: "ResolveObligation",
      about: `${seq} of ${runId}, by hand`,
      options: { requestId: life.requestId() },
      send: (tape, options) => tape.resolveObligation({ runId, obligationSeq: seq, status: "COMPENSATED" }, options),
    });
  }
  if (runIds.length === 0) return;
  const runId = random.pick(runIds);
  const { status } = await life.call(stage.calls.get(runId));
  if (status === "STUCK") {
    await unstick(life, stage, runId);
  } else if (!calm && random.chance(0.05)) {
    await life.call(stage.calls.end(runId, "CANCELLED", { requestId: life.requestId() }));
  }
}

/** Takes up a STUCK run without a look at what is STUCK, which must be refused, or gives it up. */
async function meddle(life: Life, { calls, promises }: Stage, runIds: readonly string[]): Promise<void> {
  const { random } = life.world;
  const runId = runIds.find((one) => promises.run(one).status === "STUCK");
  if (runId === undefined) return;
  if (random.chance(0.2)) await life.call(calls.end(runId, "CANCELLED", { requestId: life.requestId() }));
  else if (random.chance(0.5)) {
    await life.call(calls.resume(runId, life.name)).catch((error: unknown) => {
      if (!(error instanceof TapeError) || error.reason !== "TRANSITION_NOT_ALLOWED") throw error;
    });
  }
}

async function unstick(life: Life, stage: Stage, runId: string): Promise<void> {
  for (const { key, status } of stage.promises.run(runId).effects.values()) {
    if (status !== "UNKNOWN") continue;
    const resolvedStatus = stage.ledger.acts(runId, key) > 0 ? "CONFIRMED" : "FAILED";
    await life.call({
      method: "ReconcileEffect",
      about: `${key} of ${runId}, by hand`,
      options: { requestId: life.requestId() },
      send: (tape, options) => tape.reconcileEffect({ runId, idempotencyKey: key, resolvedStatus }, options),
    });
  }
  // The lease is let expire: then whoever recovers runs finds it.
  await life.call(stage.calls.resume(runId, life.name));
}
