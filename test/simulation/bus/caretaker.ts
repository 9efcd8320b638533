import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import { appOf } from "../actors/script.ts";
import { leaseMs } from "../audit/run-head.ts";

/** One round of somebody who ends the runs that belong to no script: those that reactions began, or others left. */
export async function caretakerRound(life: Life, stage: Stage): Promise<void> {
  const { runs } = await life.call({
    method: "ListRunsToRecover",
    about: "",
    send: (tape, options) => tape.listRunsToRecover({ limit: 4 }, options),
  });
  for (const { runId, appName } of runs) {
    if (appName === appOf) continue;
    const { leaseEpoch } = await life.call({
      method: "ResumeRun",
      about: runId,
      send: (tape, options) => tape.resumeRun({ runId, leaseOwner: life.name, leaseTtlMs: leaseMs }, options),
      check: () => (answer) => {
        const { head } = stage.promises.run(runId);
        stage.promises.durable((head?.epoch ?? 0) >= answer.leaseEpoch, `epoch ${answer.leaseEpoch} of ${runId}`);
      },
    });
    await life.call(stage.calls.end(runId, "TERMINAL", { leaseEpoch, requestId: life.requestId() }));
  }
}
