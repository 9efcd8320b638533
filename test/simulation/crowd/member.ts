import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import { knownBelow } from "../audit/run-entries.ts";
import { readValue, writeValue, writtenKeys } from "../actors/writer.ts";

/** Calls of one member that are under way together, at most. */
const volley = 5;

/**
 * One round of somebody in a crowd: reads and writes one value and charges one run, several times at once, while others do
 * the same. So a call often comes to a server whose own append of the row is under way, and which another has overtaken (R6).
 */
export async function memberRound(life: Life, stage: Stage): Promise<void> {
  const { random, calm } = life.world;
  const [key] = writtenKeys;
  if (calm || key === undefined) return;
  await Promise.all(
    Array.from({ length: 1 + random.int(volley) }, async () => {
      const way = random.pick(["write", "charge", "read", "read", "read", "read"] as const);
      const runId = [...stage.begun.values()].at(-1) ?? "";
      const { status, head } = stage.promises.run(runId);
      if (way === "write") await life.call(writeValue(life, stage, key, -1, life.requestId()));
      else if (way === "charge" && status === "RUNNING") {
        // Nothing tells two of them apart but that each has an amount of its own.
        const tokens = knownBelow + life.world.number();
        await life.call(stage.calls.charge(runId, tokens, { leaseEpoch: head?.epoch ?? 0 }));
      } else await life.call(readValue(stage, key));
    }),
  );
}
