import { TapeError } from "../../../src/errors.ts";
import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import { leaseMs } from "../audit/run-head.ts";

/** The application of the runs that race. */
const racingApp = "race";
const connector = "shop";

/** What is raced for just now. */
export interface Prize {
  number: number;
}

/**
 * One round of somebody who is after the same act as others, each in a run of its own: whoever wins the business key
 * acts, and from then on all are after the next one (R22).
 */
export async function racerRound(life: Life, { calls, ledger, world }: Stage, prize: Prize): Promise<void> {
  if (world.calm) return;
  const { number } = prize;
  const request = {
    appName: racingApp,
    invocationId: life.requestId(),
    leaseOwner: life.name,
    leaseTtlMs: leaseMs,
  };
  const { runId, leaseEpoch } = await life.call({
    method: "BeginRun",
    about: `to win prize ${number}`,
    send: (tape, options) => tape.beginRun(request, options),
  });
  const intent = { runId, toolName: "win", customKey: "win", connector, businessKey: `prize-${number}` };
  let ending: "TERMINAL" | "CANCELLED" = "CANCELLED";
  try {
    await life.call(calls.beginEffect(intent, { leaseEpoch }));
    prize.number = Math.max(prize.number, number + 1);
    ledger.act(life.name, runId, "win", "IDEMPOTENT");
    await life.call(calls.complete(runId, "win", "CONFIRMED", { leaseEpoch }));
    ending = "TERMINAL";
  } catch (error) {
    if (!(error instanceof TapeError) || error.reason !== "BUSINESS_KEY_USED") throw error;
  }
  await life.call(calls.end(runId, ending, { leaseEpoch, requestId: life.requestId() }));
}
