import type { CallOptions } from "../../model/call.ts";
import type { Tape } from "../../model/tape.ts";
import { dispatcher, farFuture, type Scene } from "./scene.ts";

/** One write on one run, ready to be sent once or several times. */
interface ReadyWrite {
  readonly runId: string;
  readonly send: (tape: Tape, options?: CallOptions) => Promise<unknown>;
}

/** One mutating call on a run, with the state that it needs. */
export interface RunWrite {
  readonly call: string;
  /** It has no natural key: a repeat is recognised by its request id alone (R3). */
  readonly byRequestId: boolean;
  /** What R12 says about a run that has ended. */
  readonly afterTheEnd: "refused" | "allowed";
  /** Brings a fresh run into the state in which the call does something. */
  arrange(t: Scene): Promise<ReadyWrite>;
}

type Arranged = readonly [runId: string, send: ReadyWrite["send"]];

function write(
  call: string,
  arrange: (t: Scene) => Promise<Arranged>,
  kind: { readonly byRequestId?: boolean; readonly afterTheEnd?: "allowed" } = {},
): RunWrite {
  return {
    call,
    byRequestId: kind.byRequestId ?? false,
    afterTheEnd: kind.afterTheEnd ?? "refused",
    arrange: async (t) => {
      const [runId, send] = await arrange(t);
      return { runId, send };
    },
  };
}

const settling = { afterTheEnd: "allowed" } as const;

/** An inline effect, and the call that is given its address. */
function onEffect(
  send: (effect: { runId: string; idempotencyKey: string }, tape: Tape, options?: CallOptions) => Promise<unknown>,
  arrange: (t: Scene, runId: string) => Promise<string> = (t, runId) => t.effect(runId),
): (t: Scene) => Promise<Arranged> {
  return async (t) => {
    const runId = await t.run();
    const idempotencyKey = await arrange(t, runId);
    return [runId, (tape, options) => send({ runId, idempotencyKey }, tape, options)];
  };
}

const claimedOutbox = async (t: Scene, runId: string): Promise<string> => {
  const key = await t.outbox(runId);
  await t.claim(runId, key);
  return key;
};

/** The due obligation of a run that is being undone, claimed or not, and the call that is given its address. */
function onObligation(
  claimed: boolean,
  send: (due: { runId: string; obligationSeq: number }, tape: Tape, options?: CallOptions) => Promise<unknown>,
): (t: Scene) => Promise<Arranged> {
  return async (t) => {
    const { runId, obligations } = await t.undone(2);
    const due = { runId, obligationSeq: obligations[0]?.seq ?? 0 };
    if (claimed) await t.tape.claimObligation({ ...due, claimer: dispatcher });
    return [runId, (tape, options) => send(due, tape, options)];
  };
}

/** A running run, and the call that is given its id. */
function onRun(
  send: (runId: string, tape: Tape, options?: CallOptions) => Promise<unknown>,
): (t: Scene) => Promise<Arranged> {
  return async (t) => {
    const runId = await t.run();
    return [runId, (tape, options) => send(runId, tape, options)];
  };
}

/** Every call that writes on a run, except BeginRun and ResumeRun, which take the lease instead of being fenced by it. */
export const runWrites: readonly RunWrite[] = [
  write(
    "EndRun",
    onRun((runId, tape, options) => tape.endRun({ runId, status: "FAILED", detailJson: '{"why":1}' }, options)),
    settling,
  ),
  write(
    "RecordDecision",
    onRun((runId, tape, options) =>
      tape.recordDecision({ runId, decisionIndex: 3, model: "m", requestJson: "{}", responseJson: "[1]" }, options),
    ),
  ),
  write(
    "BeginEffect",
    onRun((runId, tape, options) => tape.beginEffect({ runId, decisionIndex: 1, toolName: "sweep" }, options)),
  ),
  write(
    "CompleteEffect",
    onEffect((effect, tape, options) =>
      tape.completeEffect({ ...effect, status: "CONFIRMED", responseJson: '{"ok":true}' }, options),
    ),
    settling,
  ),
  write(
    "ReconcileEffect",
    onEffect(
      (effect, tape, options) =>
        tape.reconcileEffect({ ...effect, resolvedStatus: "FAILED", errorJson: '"no"' }, options),
      (t, runId) => t.unknown(runId),
    ),
    settling,
  ),
  write(
    "ClaimEffectDispatch",
    onEffect(
      (effect, tape, options) => tape.claimEffectDispatch({ ...effect, claimer: dispatcher }, options),
      (t, runId) => t.outbox(runId),
    ),
    settling,
  ),
  write(
    "RecordDispatchAttempt",
    onEffect(
      (effect, tape, options) =>
        tape.recordDispatchAttempt({ ...effect, error: "busy", nextDispatchAtMs: farFuture }, options),
      claimedOutbox,
    ),
    { ...settling, byRequestId: true },
  ),
  write(
    "RecordExternalObservation",
    onEffect(
      (effect, tape, options) =>
        tape.recordExternalObservation({ ...effect, resolution: "CONFIRMED", externalRef: "ref" }, options),
      claimedOutbox,
    ),
    settling,
  ),
  write(
    "RegisterCompensation",
    onEffect((effect, tape, options) =>
      tape.registerCompensation({ runId: effect.runId, effectKey: effect.idempotencyKey, kind: "undo" }, options),
    ),
    settling,
  ),
  write(
    "ClaimObligation",
    onObligation(false, (due, tape, options) => tape.claimObligation({ ...due, claimer: dispatcher }, options)),
    settling,
  ),
  write(
    "RecordObligationAttempt",
    onObligation(true, (due, tape, options) =>
      tape.recordObligationAttempt({ ...due, error: "busy", nextAttemptAtMs: farFuture }, options),
    ),
    { ...settling, byRequestId: true },
  ),
  write(
    "ResolveObligation",
    onObligation(true, (due, tape, options) =>
      tape.resolveObligation({ ...due, status: "COMPENSATED", resultJson: "{}" }, options),
    ),
    settling,
  ),
  write(
    "SetBudget",
    onRun((runId, tape, options) => tape.setBudget({ runId, usdCap: 5, tokenCap: 50 }, options)),
  ),
  write(
    "ChargeBudget",
    onRun((runId, tape, options) => tape.chargeBudget({ runId, usd: 0.25, tokens: 7 }, options)),
    { byRequestId: true },
  ),
  write(
    "AwaitSignal",
    onRun((runId, tape, options) => tape.awaitSignal({ runId, gateName: "approval" }, options)),
  ),
  write(
    "SendSignal",
    async (t) => {
      const runId = await t.waiting("approval");
      const signal = { runId, gateName: "approval", resolutionJson: '{"by":"ada"}' };
      return [runId, (tape, options) => tape.sendSignal(signal, options)];
    },
    { byRequestId: true },
  ),
  write(
    "SetTimer",
    onRun((runId, tape, options) => tape.setTimer({ runId, timerId: "t", fireAtMs: farFuture, kind: "wake" }, options)),
  ),
  write("CancelTimer", async (t) => {
    const runId = await t.run();
    await t.tape.setTimer({ runId, timerId: "t", fireAtMs: farFuture, kind: "wake" });
    return [runId, (tape, options) => tape.cancelTimer({ runId, timerId: "t" }, options)];
  }),
];
