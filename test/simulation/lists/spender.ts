import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import { knownBelow } from "../audit/run-entries.ts";
import { leaseMs } from "../audit/run-head.ts";
import { listedApp } from "./opener.ts";

/** Charges that are under way together, and how many there are at most. */
const volley = 8;
const mostCharges = knownBelow - 1;

/** So many of its charges are still known, whatever is remembered beside them. */
const mostKnown = 40;

/** What one spender has charged: request id to amount, in the order of the charges. */
export type Spending = Map<string, number>;

/**
 * One round of somebody who charges a run of its own again and again, many charges at once, some of them charges that it
 * has made before: those are known by their request ids (R3, R36).
 */
export async function spenderRound(life: Life, { calls, world, promises }: Stage, spending: Spending): Promise<void> {
  const { random } = world;
  if (world.calm || spending.size >= mostCharges) return;
  const request = { appName: listedApp, invocationId: "spending", leaseOwner: life.name, leaseTtlMs: leaseMs };
  const { runId, leaseEpoch } = await life.call({
    method: "BeginRun",
    about: "to spend",
    send: (tape, options) => tape.beginRun(request, options),
    check: () => (answer) => {
      promises.durable(promises.run(answer.runId).seq > 0, answer.runId);
    },
  });
  if (leaseEpoch === 0) return;
  const charges = Array.from({ length: volley }, () => {
    const known = [...spending].slice(-mostKnown);
    if (known.length > 0 && (random.chance(0.4) || spending.size >= mostCharges)) return random.pick(known);
    const tokens = spending.size + 1;
    const requestId = `spend-${tokens}`;
    spending.set(requestId, tokens);
    return [requestId, tokens] as const;
  });
  await Promise.all(
    charges.map(([requestId, tokens]) => life.call(calls.charge(runId, tokens, { leaseEpoch, requestId }))),
  );
}
