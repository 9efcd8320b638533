import { TapeError } from "../../src/client/index.ts";
import { connector, scope, steps, type Actor } from "./scene.ts";

/** A run and the lease under which someone extends it. */
export interface HeldRun {
  readonly runId: string;
  readonly owner: string;
  readonly leaseEpoch: number;
}

/** How an agent left a run. */
export type Outcome = "ended" | "lost" | "died";

/**
 * Does what is left of a run, or dies on the way. Every agent does the same, so that one takes up what another began:
 * each write is named by its place in the run.
 */
export async function extendRun(actor: Actor, run: HeldRun): Promise<Outcome> {
  try {
    for (let index = 0; index < steps; index += 1) {
      if (!(await step(actor, run, index))) return "died";
    }
    return await end(actor, run);
  } catch (error) {
    if (!(error instanceof TapeError) || (error.reason !== "EPOCH_STALE" && error.reason !== "RUN_ENDED")) throw error;
    actor.tally.count("leases lost");
    return "lost";
  }
}

/** False when the agent died in it. */
async function step(actor: Actor, { runId, leaseEpoch }: HeldRun, index: number): Promise<boolean> {
  const { caller, ledger } = actor;
  const fenced = { leaseEpoch };
  const note = (write: string): void => ledger.acknowledge(runId, write);
  if (dies(actor)) return false;
  await caller.call((tape) => tape.recordDecision({ runId, decisionIndex: index, responseJson: `${index}` }, fenced));
  note(`decision ${index}`);
  if (dies(actor)) return false;
  const spent = { runId, tokens: index + 1 };
  await caller.call((tape) => tape.chargeBudget(spent, { ...fenced, requestId: `charge-${index}` }));
  note(`budget ${index + 1}`);
  if (dies(actor)) return false;
  // One act of each run is a dispatcher's.
  if (index === Math.floor(steps / 2)) return beginOutbox(actor, runId, leaseEpoch, index);
  const isConfirmed = ledger.wasAcknowledged(runId, `act ${index} CONFIRMED`);
  const { idempotencyKey, status } = await caller.call((tape) =>
    tape.beginEffect({ runId, decisionIndex: index, toolName: "act" }, fenced),
  );
  note(`act ${index} PENDING`);
  if (status === "PENDING") {
    if (isConfirmed) actor.tally.violation("lost", `run ${runId}: act ${index} was CONFIRMED and is PENDING`);
    if (dies(actor)) return false;
    await caller.call((tape) => tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" }, fenced));
  }
  note(`act ${index} CONFIRMED`);
  return true;
}

async function beginOutbox(
  { caller, ledger }: Actor,
  runId: string,
  leaseEpoch: number,
  index: number,
): Promise<boolean> {
  const effect = { runId, decisionIndex: index, toolName: "transfer", connector, scope } as const;
  await caller.call((tape) =>
    tape.beginEffect({ ...effect, semantics: "NON_IDEMPOTENT", dispatchMode: "OUTBOX" }, { leaseEpoch }),
  );
  ledger.acknowledge(runId, `transfer ${index} PENDING`);
  return true;
}

async function end(actor: Actor, { runId, leaseEpoch }: HeldRun): Promise<Outcome> {
  const { caller, ledger } = actor;
  for (;;) {
    if (dies(actor)) return "died";
    try {
      await caller.call((tape) =>
        tape.endRun({ runId, status: "TERMINAL" }, { leaseEpoch, requestId: caller.newRequestId() }),
      );
      ledger.acknowledge(runId, "run TERMINAL");
      return "ended";
    } catch (error) {
      if (!(error instanceof TapeError) || error.reason !== "EFFECTS_UNKNOWN") throw error;
      await settleUnknown(actor, runId);
    }
  }
}

/** A transfer whose dispatcher vanished: the bank knows whether it happened. */
async function settleUnknown(actor: Actor, runId: string): Promise<void> {
  const index = Math.floor(steps / 2);
  await settle(actor, runId, `${runId}/decision-${index}/transfer/0`);
}

/** Asks the world what became of an act that nobody can do any more, and records it. */
export async function settle({ caller, ledger }: Actor, runId: string, idempotencyKey: string): Promise<void> {
  const resolvedStatus = ledger.acts(idempotencyKey) > 0 ? "CONFIRMED" : "FAILED";
  const { status } = await caller.call((tape) => tape.reconcileEffect({ runId, idempotencyKey, resolvedStatus }));
  ledger.acknowledge(runId, `transfer ${Math.floor(steps / 2)} ${status}`);
}

/** Agents die between any two calls; when all is to be brought to its end, none does. */
function dies({ caller, isOver, tally }: Actor): boolean {
  if (isOver() || !caller.random.chance(0.01)) return false;
  tally.count("agents died");
  return true;
}
