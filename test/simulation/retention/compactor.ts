import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";

/** One round of somebody who compacts by hand: what is listed, and often what should be refused. */
export async function compactorRound(life: Life, stage: Stage): Promise<void> {
  const { random } = life.world;
  const { runs } = await life.call({
    method: "ListCompactableRuns",
    about: "",
    send: (tape, options) => tape.listCompactableRuns({ limit: 3 }, options),
  });
  const any = [...stage.begun.values()];
  const runIds = runs.map(({ runId }) => runId);
  if (any.length > 0 && random.chance(0.6)) runIds.push(random.pick(any));
  for (const runId of runIds) {
    await life.call({
      method: "CompactRun",
      about: runId,
      send: (tape, options) => tape.compactRun({ runId }, options),
      check: () => () => {
        const { compactedSeq, deleted } = stage.promises.run(runId);
        stage.promises.durable(deleted || compactedSeq > 0, `the compaction of ${runId}`);
      },
    });
  }
}
