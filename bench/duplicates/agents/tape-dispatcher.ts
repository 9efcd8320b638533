import { setTimeout as sleep } from "node:timers/promises";
import type { EffectRecord, Tape } from "tape-journal";
import type { Assignment, PlannedRun } from "../assignment.ts";
import type { Outside } from "./outside.ts";

/** What a run has to be granted for the act. */
export const scope = "world:act";

const connector = "world";
const claimTtlMs = 2_000;
const idleMs = 20;

/** What is ordered, by whom. */
export interface Order {
  readonly runId: string;
  readonly requestJson: string;
  readonly leaseEpoch: number;
}

/** Orders the act and waits for its outcome; orders it anew after one that surely did not happen. */
export async function orderAct(tape: Tape, run: PlannedRun, order: Order): Promise<"done" | "stopped"> {
  const { runId, requestJson, leaseEpoch } = order;
  for (let attempt = 0; ; attempt += 1) {
    const { idempotencyKey } = await tape.beginEffect(
      {
        runId,
        decisionIndex: 0,
        toolName: "act",
        callIndex: attempt,
        requestJson,
        semantics: "NON_IDEMPOTENT",
        dispatchMode: "OUTBOX",
        connector,
        businessKey: `${run.id}/${attempt}`,
        scope,
      },
      { leaseEpoch },
    );
    const outcome = await outcomeOf(tape, runId, idempotencyKey);
    if (outcome !== "FAILED") return outcome === "CONFIRMED" ? "done" : "stopped";
  }
}

/** Follows the run until its effect is settled, or somebody has stopped the run for a human. */
async function outcomeOf(tape: Tape, runId: string, idempotencyKey: string): Promise<"CONFIRMED" | "FAILED" | "STUCK"> {
  for await (const { kind, payloadJson } of tape.subscribeRun({ runId })) {
    const { status, idempotency_key: key } = JSON.parse(payloadJson) as { status?: string; idempotency_key?: string };
    if (kind === "run" && status === "STUCK") return status;
    if (kind === "effect" && key === idempotencyKey && (status === "CONFIRMED" || status === "FAILED")) return status;
  }
  throw new Error(`run ${runId} ended while its act was under way`);
}

/** What a dispatcher works with. */
export interface DispatcherOptions {
  readonly tape: Tape;
  readonly outside: Outside;
  readonly assignment: Assignment;
  /** Names this process. */
  readonly claimer: string;
  /** Told when an effect could not be treated. */
  readonly fail: (error: unknown) => void;
}

/** Does what is ordered, and finds out what became of that whose dispatcher has died. Runs for ever. */
export async function runDispatcher({ tape, outside, assignment, claimer, fail }: DispatcherOptions): Promise<never> {
  const runs = new Map(assignment.runs.map((run) => [run.id, run]));
  /** What this process has in hand: it is in no doubt about an act whose answer it waits for, however long that takes. */
  const taken = new Set<string>();
  for (;;) {
    const { effects: due } = await tape.listEffectsToDispatch({ connector, limit: 1_000 });
    const { effects: unknown } = await tape.listPendingEffects({ includeUnknown: true, limit: 1_000 });
    take(due, dispatch);
    take(unknown, settle);
    await sleep(idleMs);
  }

  /** An act may take its time: the others do not wait for it. */
  function take(effects: readonly EffectRecord[], treat: (one: EffectRecord, run: PlannedRun) => Promise<void>): void {
    for (const effect of effects) {
      const run = runs.get(effect.businessKey.split("/")[0] ?? "");
      if (run === undefined || taken.has(effect.idempotencyKey)) continue;
      taken.add(effect.idempotencyKey);
      treat(effect, run).catch(fail);
    }
  }

  async function dispatch({ runId, idempotencyKey, requestJson }: EffectRecord, run: PlannedRun): Promise<void> {
    const claim = await tape.claimEffectDispatch({ runId, idempotencyKey, claimer, leaseTtlMs: claimTtlMs });
    if (!claim.acquired) return void taken.delete(idempotencyKey);
    const receipt = await outside.callTool(run, { answer: String(JSON.parse(requestJson)) });
    await observe(claim.effect, "CONFIRMED", receipt);
  }

  /** Nothing is done here, only asked. A world that cannot be asked leaves it to a human. */
  async function settle(effect: EffectRecord, run: PlannedRun): Promise<void> {
    if (assignment.world === "blind") {
      await observe(effect, "STUCK");
      return outside.report(run, "unknown");
    }
    const receipt = await outside.lookUp(run);
    await (receipt === undefined ? observe(effect, "ABSENT") : observe(effect, "CONFIRMED", receipt));
  }

  async function observe(
    { runId, idempotencyKey }: EffectRecord,
    resolution: "CONFIRMED" | "ABSENT" | "STUCK",
    receipt = "",
  ): Promise<void> {
    const responseJson = JSON.stringify(receipt);
    await tape.recordExternalObservation({ runId, idempotencyKey, resolution, responseJson });
  }
}
