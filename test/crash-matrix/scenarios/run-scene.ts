import { partitionOf, runRow, type Partition } from "../../../src/codec/row-id.ts";
import type { BeginRunRequest } from "../../../src/model/run.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { factsOfRun, type RunList } from "./facts.ts";
import type { Prepared } from "./scenario.ts";

/** Longer than any matrix runs, so that nothing expires on the way. */
export const leaseMs = 3_600_000;
/** A time that no matrix reaches. */
export const farFuture = 3e12;
/** The partition of callers without a tenant. */
export const partition: Partition = partitionOf("");

interface RunOfScenario extends BeginRunRequest {
  readonly userId: string;
  readonly sessionId: string;
}

/** Who a scenario's run is; its app and its connector are its name, so that nobody else is in its lists. */
export const identityOf = (name: string): RunOfScenario => ({
  appName: name,
  userId: "user",
  sessionId: name,
  invocationId: name,
  leaseOwner: name,
  leaseTtlMs: leaseMs,
});

/** A new run, RUNNING. */
export async function begin(tape: Tape, name: string): Promise<string> {
  return (await tape.beginRun(identityOf(name))).runId;
}

/** An effect of an outbox, PENDING; its key. */
export async function outbox(tape: Tape, runId: string, name: string): Promise<string> {
  const { idempotencyKey } = await tape.beginEffect({
    runId,
    decisionIndex: 0,
    toolName: "send",
    requestJson: '{"to":"ada"}',
    dispatchMode: "OUTBOX",
    connector: name,
  });
  return idempotencyKey;
}

/** An outbox effect that somebody has claimed. */
export async function claimed(tape: Tape, runId: string, name: string): Promise<string> {
  const idempotencyKey = await outbox(tape, runId, name);
  await tape.claimEffectDispatch({ runId, idempotencyKey, claimer: name, leaseTtlMs: leaseMs });
  return idempotencyKey;
}

/** An effect that happened, and the promise of its inverse; the seq of the obligation. */
export async function promise(
  tape: Tape,
  runId: string,
): Promise<{ readonly effectKey: string; readonly seq: number }> {
  const { idempotencyKey } = await tape.beginEffect({ runId, decisionIndex: 0, toolName: "act" });
  await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED", responseJson: '{"ok":true}' });
  const { seq } = await tape.registerCompensation({ runId, effectKey: idempotencyKey, kind: "undo" });
  return { effectKey: idempotencyKey, seq };
}

/** A call on a run that is running, beside which another client charges the run's budget. */
export function onRunning(
  runId: string,
  name: string,
  call: Prepared["call"],
  lists: readonly RunList[] = [],
): Prepared {
  return {
    ...onRun(runId, name, call, lists),
    neighbour: (tape, options) => tape.chargeBudget({ runId, tokens: 1000 }, options),
  };
}

/** A call on a run that takes nothing else just now, beside which another client reads it. */
export function onRun(runId: string, name: string, call: Prepared["call"], lists: readonly RunList[] = []): Prepared {
  return {
    rows: [runRow(partition, runId)],
    call,
    neighbour: (tape, options) => tape.inspect.getRunDetail({ runId }, options).catch(() => undefined),
    facts: (tape) => factsOfRun(tape, runId, name, lists),
  };
}
