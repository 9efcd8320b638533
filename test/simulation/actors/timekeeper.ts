import type { Life } from "./actor.ts";
import type { Stage } from "./stage.ts";

/** One round of somebody who takes timers that are due. Each is handed to one caller. */
export async function timekeeperRound(life: Life, stage: Stage, taken: Set<string>): Promise<void> {
  const { timers } = await life.call({
    method: "ListDueTimers",
    about: "",
    // What an answer that was lost has handed out is gone.
    retry: false,
    send: (tape, options) => tape.listDueTimers({ limit: 5, claim: true }, options),
    check: () => (answer) => {
      for (const { runId, timerId } of answer.timers) {
        const name = `${timerId} of ${runId}`;
        stage.promises.must(!taken.has(name), "timer-fires-once", () => `timer ${name} was handed out twice`);
        taken.add(name);
        const known = stage.promises.run(runId).timers.get(timerId);
        stage.promises.durable(known?.state === "fired", `timer ${name}, fired`);
      }
    },
  });
  if (timers.length > 0) await life.crossroads();
}
