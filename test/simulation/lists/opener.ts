import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import { leaseMs } from "../audit/run-head.ts";

/** The application of runs that are there to be listed. */
export const listedApp = "many";

/** One round of somebody who begins short runs, one after the other, so many in all; the last ones are left to others. */
export async function openerRound(
  life: Life,
  { calls, promises, world }: Stage,
  opened: Set<string>,
  mostRuns: number,
): Promise<void> {
  if (world.calm || opened.size >= mostRuns) return;
  const invocationId = life.requestId();
  const request = { appName: listedApp, invocationId, leaseOwner: life.name, leaseTtlMs: leaseMs };
  const { runId, leaseEpoch } = await life.call({
    method: "BeginRun",
    about: invocationId,
    send: (tape, options) => tape.beginRun(request, options),
    check: () => (answer) => {
      promises.durable(promises.run(answer.runId).seq > 0, answer.runId);
    },
  });
  opened.add(runId);
  if (world.random.chance(0.5)) await life.call(calls.decide(runId, 0, `"of ${life.name}"`, { leaseEpoch }));
  const ending = world.random.pick(["TERMINAL", "TERMINAL", "FAILED", "CANCELLED"] as const);
  await life.call(calls.end(runId, ending, { leaseEpoch, requestId: life.requestId() }));
}
