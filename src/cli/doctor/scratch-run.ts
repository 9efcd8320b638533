import type { Tape } from "../../model/tape.ts";

/** How the self-test and the process that it kills know each other's work again. */
export const scratch = {
  app: "tape-doctor",
  user: "self-test",
  answer: '{"act":"nothing"}',
  tool: "nothing",
  /** The shortest lease there is (R10), milliseconds: so long the successor waits. */
  leaseMs: 1000,
} as const;

/** What the process that is killed had begun. */
export interface BegunRun {
  readonly runId: string;
  readonly idempotencyKey: string;
}

/** Begins a run, asks the "model", and begins an act. */
export async function beginScratchRun(tape: Tape, invocationId: string): Promise<BegunRun> {
  const { runId, leaseEpoch } = await tape.beginRun({
    appName: scratch.app,
    userId: scratch.user,
    sessionId: invocationId,
    invocationId,
    leaseOwner: "first",
    leaseTtlMs: scratch.leaseMs,
  });
  const fenced = { leaseEpoch };
  const decision = { runId, decisionIndex: 0, model: "scripted", requestJson: "{}", responseJson: scratch.answer };
  await tape.recordDecision(decision, fenced);
  const effect = { runId, decisionIndex: 0, toolName: scratch.tool, requestJson: "{}" };
  const { idempotencyKey } = await tape.beginEffect(effect, fenced);
  return { runId, idempotencyKey };
}
