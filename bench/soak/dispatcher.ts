import { setTimeout as sleep } from "node:timers/promises";
import { settle } from "./run-steps.ts";
import { connector, type Actor } from "./scene.ts";

/** The server counts whole milliseconds. */
const clockStepMs = 2;

/** Does the outbox's acts, which must not happen twice; settles those whose dispatcher has vanished. */
export async function dispatcher(actor: Actor): Promise<void> {
  const { caller, isOver, leaseMs } = actor;
  let idleSince = performance.now();
  // To the end it waits for claims to expire, and for runs that agents still bring to theirs.
  while (!isOver() || performance.now() - idleSince < 4 * leaseMs) {
    const { effects } = await caller.call((tape) => tape.listEffectsToDispatch({ connector, limit: 50 }));
    const [due] = caller.random.shuffle(effects);
    if (due !== undefined) await dispatch(actor, due.runId, due.idempotencyKey);
    const settled = await settleSome(actor);
    const isIdle = due === undefined && settled === 0;
    if (isIdle) await sleep(20 + caller.random.int(60));
    if (!isIdle || !isOver()) idleSince = performance.now();
  }
}

async function dispatch(actor: Actor, runId: string, idempotencyKey: string): Promise<void> {
  const { caller, isOver, leaseMs, ledger, tally } = actor;
  const claimer = caller.newRequestId();
  const expires = performance.now() + leaseMs - clockStepMs;
  const { acquired } = await caller.call((tape) =>
    tape.claimEffectDispatch({ runId, idempotencyKey, claimer, leaseTtlMs: leaseMs }),
  );
  if (!acquired) return;
  if (!isOver() && caller.random.chance(0.02)) {
    tally.count("dispatchers died");
    return;
  }
  // Counted from before the claim was asked for: whoever comes later has none, and someone may be settling the effect.
  if (performance.now() >= expires) return;
  ledger.act(idempotencyKey);
  if (!isOver() && caller.random.chance(0.02)) {
    tally.count("dispatchers died");
    return;
  }
  await caller.call((tape) => tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" }, { claimer }));
}

async function settleSome(actor: Actor): Promise<number> {
  const { effects } = await actor.caller.call((tape) => tape.listPendingEffects({ includeUnknown: true, limit: 10 }));
  for (const { runId, idempotencyKey } of effects) await settle(actor, runId, idempotencyKey);
  return effects.length;
}
