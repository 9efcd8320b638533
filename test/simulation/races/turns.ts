import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import { leaseMs } from "../audit/run-head.ts";

const gateName = "turn";

/**
 * One round of somebody whose run waits, is answered at once and goes on, again and again: so it comes back to a status before
 * the keys of the last time are all taken away.
 */
export async function turnsRound(life: Life, { calls, promises, world }: Stage, number: number): Promise<void> {
  if (world.calm) return;
  const identity = { appName: "turns", invocationId: `turns-${number}` };
  const { runId, leaseEpoch } = await life.call({
    method: "BeginRun",
    about: "to wait again",
    send: (tape, options) => tape.beginRun({ ...identity, leaseOwner: life.name, leaseTtlMs: leaseMs }, options),
    check: () => (answer) => {
      promises.durable(promises.run(answer.runId).seq > 0, answer.runId);
    },
  });
  const gateOccurrence = 1 + (promises.run(runId).gates.get(gateName)?.length ?? 0);
  const { delivered } = await life.call(calls.wait(runId, gateName, { leaseEpoch, gateOccurrence }));
  const resolutionJson = `"turn ${gateOccurrence}"`;
  if (!delivered) await life.call(calls.signal({ runId, gateName, resolutionJson }, life.requestId()));
}
