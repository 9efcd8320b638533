import { TapeError } from "../../../src/errors.ts";
import type { Life } from "./actor.ts";
import { appOf, gateOf, sessionOf, userOf, type Script } from "./script.ts";
import type { Stage } from "./stage.ts";

/** A signal that has to reach a gate, or be told that the gate has its answer. */
export interface Letter {
  readonly number: number;
  readonly gateName: string;
  readonly resolutionJson: string;
  readonly requestId: string;
  readonly bySession: boolean;
  /** It is sent again while the gate has an answer for every wait so far: another one will come. */
  readonly mustBeTaken: boolean;
  delivered: boolean;
}

/** The signals that the gates of a script get. */
export const lettersOf = ({ number, steps }: Script): Letter[] =>
  steps.flatMap((step, i): Letter[] => {
    if (step.kind !== "gate" || step.answeredBy === "timeout") return [];
    const copies = step.answeredBy === "two-signals" || step.answeredBy === "twice" ? [1, 2] : [1];
    return copies.map((copy) => ({
      number,
      gateName: gateOf(i),
      resolutionJson: `"answer ${copy} of ${number}/${i}"`,
      requestId: `letter-${number}-${i}-${copy}`,
      mustBeTaken: step.answeredBy === "twice",
      bySession: step.answeredBy === "session-signal",
      delivered: false,
    }));
  });

/** One round of somebody who answers gates, early, late, or at the same time as another. */
export async function signallerRound(life: Life, stage: Stage, letters: readonly Letter[]): Promise<void> {
  const open = letters.filter(({ delivered, number }) => !delivered && stage.begun.has(number));
  if (open.length === 0) return;
  const letter = life.world.random.pick(open);
  const { number, gateName, resolutionJson, requestId, bySession, mustBeTaken } = letter;
  const runId = stage.begun.get(number) ?? "";
  const address = bySession ? { appName: appOf, userId: userOf, sessionId: sessionOf(number) } : { runId };
  try {
    const { accepted } = await life.call(stage.calls.signal({ ...address, gateName, resolutionJson }, requestId));
    letter.delivered = accepted || !mustBeTaken;
  } catch (error) {
    const isOver = error instanceof TapeError && (error.reason === "RUN_ENDED" || error.reason === "RUN_NOT_FOUND");
    if (!isOver) throw error;
    stage.promises.must(
      stage.promises.run(runId).statuses.size > 0 && isOverAt(stage, runId),
      "read-sees-acknowledged",
      () => `a signal to ${gateName} of ${runId} was refused with ${error.reason}, but the run is live`,
    );
    letter.delivered = true;
  }
}

const isOverAt = (stage: Stage, runId: string): boolean =>
  ["TERMINAL", "FAILED", "CANCELLED"].some((status) => stage.promises.run(runId).statuses.has(status));
