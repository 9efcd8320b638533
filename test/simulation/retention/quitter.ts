import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";

/** One round of somebody who gives up what is STUCK: the run ends, and what could not be undone stays to be done (R32). */
export async function quitterRound(life: Life, { calls, promises, begun, world }: Stage): Promise<void> {
  const { random } = world;
  const runId = [...begun.values()].find((one) => promises.run(one).status === "STUCK");
  if (runId === undefined) return;
  const ending = random.pick(["FAILED", "CANCELLED"] as const);
  await life.call(calls.end(runId, ending, { requestId: life.requestId() }));
}
