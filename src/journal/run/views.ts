import type { BodyLookup } from "../row.ts";
import { bodyText } from "../row.ts";
import type { BudgetState } from "../../model/budget.ts";
import type { DecisionRecord } from "../../model/decision.ts";
import type { EffectRecord } from "../../model/effect.ts";
import type { ObligationRecord } from "../../model/obligation.ts";
import type { RunState } from "../../model/run.ts";
import type { TimerRecord } from "../../model/timer.ts";
import type { Seq } from "../../model/row.ts";
import { dollars } from "../validate.ts";
import { effectStatusAt, liveClaim, type Decision, type Effect, type Obligation, type Run, type Timer } from "./run.ts";

/* How a run looks from outside. */

/** A run as RunState. */
export function runView(run: Run): RunState {
  const { startedAtMs, ...facts } = run.facts;
  return {
    ...facts,
    status: run.status,
    seqCursor: run.seq,
    leaseOwner: run.lease?.owner ?? "",
    leaseExpiresAtMs: run.lease?.expiresAtMs ?? 0,
    startedAtMs,
    endedAtMs: run.endedAtMs,
    waitingOnGate: run.waiting?.gate ?? "",
  };
}

/** A decision; its texts come from entry `decision.seq`. */
export const decisionView = (runId: string, decision: Decision, bodies: BodyLookup): DecisionRecord => ({
  runId,
  seq: decision.seq,
  decisionIndex: decision.index,
  model: decision.model,
  requestJson: bodyText(bodies, decision.seq, 0),
  responseJson: bodyText(bodies, decision.seq, 1),
  rationale: decision.rationale,
  policyVersion: decision.policyVersion,
  tsMs: decision.at,
});

/** The entries whose bodies an effect's view needs. */
export const effectBodies = (effect: Effect): readonly Seq[] => [effect.seq, ...effect.answerSeqs];

/** What answers brought, the latest that is not empty: 0 the response, 1 the error (R27: empty fields erase nothing). */
export function answerText(effect: Pick<Effect, "answerSeqs">, bodies: BodyLookup, which: 0 | 1): string {
  for (let i = effect.answerSeqs.length - 1; i >= 0; i -= 1) {
    const found = bodyText(bodies, effect.answerSeqs[i] ?? 0, which);
    if (found !== "") return found;
  }
  return "";
}

/** Payloads that a call itself brings, and that its answer shows. */
export interface EffectAnswer {
  readonly response: string;
  readonly error: string;
}

/** An effect as it is now, to be completed with bodies that are read later; what was `brought` just now goes first. */
export function effectView(
  run: Run,
  effect: Effect,
  now: number,
  brought?: EffectAnswer,
): (bodies: BodyLookup) => EffectRecord {
  const claim = liveClaim(effect.claim, now);
  const { seq, answerSeqs } = effect;
  // Made once and completed later: it is on the hot path.
  const record = {
    runId: run.facts.runId,
    seq,
    decisionIndex: effect.decisionIndex,
    toolName: effect.tool,
    idempotencyKey: effect.key,
    status: effectStatusAt(effect, now),
    tsMs: effect.at,
    semantics: effect.semantics,
    dispatchMode: effect.mode,
    businessKey: effect.businessKey,
    connector: effect.connector,
    dispatchAttempts: effect.attempts,
    nextDispatchAtMs: effect.nextDispatchAtMs,
    externalRef: effect.externalRef,
    dispatchClaimedBy: claim?.by ?? "",
    dispatchClaimExpiresAtMs: claim?.expiresAtMs ?? 0,
    lastDispatchError: effect.lastError,
    scope: effect.scope,
    requestJson: "",
    responseJson: "",
    errorJson: "",
  };
  return (bodies) => {
    record.requestJson = bodyText(bodies, seq, 0);
    record.responseJson = brought?.response || answerText({ answerSeqs }, bodies, 0);
    record.errorJson = brought?.error || answerText({ answerSeqs }, bodies, 1);
    return record;
  };
}

/** The entries whose bodies an obligation's view needs. */
export const obligationBodies = (obligation: Obligation): readonly Seq[] =>
  obligation.resultSeq === 0 ? [obligation.seq] : [obligation.seq, obligation.resultSeq];

/** The attempt limit in the body of an obligation's first entry. */
export const maxAttemptsOf = (seq: Seq, bodies: BodyLookup): number => Number(bodyText(bodies, seq, 2));

/** An obligation as it is now, to be completed with bodies that are read later. */
export function obligationView(
  run: Run,
  obligation: Obligation,
  now: number,
): (bodies: BodyLookup) => ObligationRecord {
  const claim = liveClaim(obligation.claim, now);
  const { seq, resultSeq, terms } = obligation;
  const fixed = {
    runId: run.facts.runId,
    seq,
    effectKey: obligation.effectKey,
    kind: obligation.kind,
    status: obligation.status,
    tsMs: obligation.at,
    attempts: obligation.attempts,
    nextAttemptAtMs: obligation.nextAttemptAtMs,
    lastError: obligation.lastError,
    claimedBy: claim?.by ?? "",
    claimExpiresAtMs: claim?.expiresAtMs ?? 0,
  };
  return (bodies) => ({
    ...fixed,
    payloadJson: bodyText(bodies, seq, 0),
    compensatorRef: terms?.compensatorRef ?? bodyText(bodies, seq, 1),
    maxAttempts: terms?.maxAttempts ?? maxAttemptsOf(seq, bodies),
    resultJson: bodyText(bodies, resultSeq, 0),
  });
}

/** A timer; its payload comes from entry `timer.seq`. */
export const timerView = (runId: string, timer: Timer, bodies: BodyLookup): TimerRecord => ({
  runId,
  timerId: timer.id,
  fireAtMs: timer.fireAtMs,
  kind: timer.kind,
  payloadJson: bodyText(bodies, timer.seq, 0),
  fired: timer.state === "fired",
  createdAtMs: timer.createdAtMs,
});

/** The budget of a run. */
export const budgetView = (run: Run): BudgetState => ({
  runId: run.facts.runId,
  usdCap: dollars(run.budget.usdCap),
  tokenCap: run.budget.tokenCap,
  usdSpent: dollars(run.budget.usdSpent),
  tokensSpent: run.budget.tokensSpent,
});
