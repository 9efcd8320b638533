import { openTape, type Tape } from "tape-journal";

/** What the agent needs from the world: your model, and your payment service. */
export interface World {
  decide(complaint: string): Promise<{ readonly refundCents: number }>;
  refund(cents: number, idempotencyKey: string): Promise<{ readonly receipt: string }>;
}

/**
 * Handles one complaint. Kill it at any line and start it again with the same ticket: it asks the model nothing that
 * is on the tape, and the refund is made once.
 */
export async function handleComplaint(tape: Tape, world: World, ticket: string, complaint: string): Promise<string> {
  const { runId, leaseEpoch, status } = await tape.beginRun({
    appName: "refunds",
    invocationId: ticket,
    leaseOwner: `pid-${process.pid}`,
  });
  if (status !== "RUNNING") return `${ticket} is ${status} already`;
  const fenced = { leaseEpoch };

  // An answer is used only after it is recorded, so every process that ever works on this ticket uses the same one.
  const { decision } = await tape.getDecision({ runId, decisionIndex: 0 });
  const responseJson = decision?.responseJson ?? JSON.stringify(await world.decide(complaint));
  const requestJson = JSON.stringify({ complaint });
  await tape.recordDecision({ runId, decisionIndex: 0, model: "my-model", requestJson, responseJson }, fenced);
  const { refundCents } = JSON.parse(responseJson) as { refundCents: number };

  // The intent is on the tape before the act: whoever comes later acts under the same key, or not at all.
  const effect = await tape.beginEffect({ runId, toolName: "refund", requestJson: responseJson }, fenced);
  const { idempotencyKey } = effect;
  if (effect.status === "PENDING") {
    const receipt = JSON.stringify(await world.refund(refundCents, idempotencyKey));
    await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED", responseJson: receipt }, fenced);
  }
  await tape.endRun({ runId, status: "TERMINAL" }, fenced);
  return `${ticket}: refunded ${refundCents} cents`;
}

if (process.argv[1] === import.meta.filename) {
  await using tape = await openTape("sqlite:./refunds.db");
  const world: World = {
    decide: () => Promise.resolve({ refundCents: 1999 }),
    refund: (_, key) => Promise.resolve({ receipt: `paid under ${key}` }),
  };
  console.log(await handleComplaint(tape, world, process.argv[2] ?? "ticket-1", "The lamp arrived broken."));
}
