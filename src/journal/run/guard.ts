import { TapeError, type TapeErrorReason } from "../../errors.ts";
import type { Context } from "../row.ts";
import { effectStatusAt, hasEnded, liveClaim, type Claim, type Effect, type Obligation, type Run } from "./run.ts";
import { effectEvent, type RunEvent } from "./events.ts";

/* Refusals that several decisions share. */

/** Refuses, naming the run. */
export const refuse = (reason: TapeErrorReason, message: string, ids: Readonly<Record<string, string>>): TapeError =>
  new TapeError(reason, message, { ids });

/** The run must exist. */
export function mustExist(run: Run, runId: string): void {
  if (run.seq === 0) {
    throw refuse("RUN_NOT_FOUND", `run ${runId} does not exist`, { run_id: runId });
  }
  if (run.deletedAtMs > 0) {
    throw refuse("RUN_NOT_FOUND", `run ${runId} is ${run.status} and was deleted when its retention ended`, {
      run_id: runId,
    });
  }
}

/** The caller must not have been replaced as owner of the run: its epoch, if it sent one, must be the run's. */
export function mustNotBeFenced(run: Run, context: Context): void {
  if (context.leaseEpoch !== undefined && context.leaseEpoch !== run.epoch) {
    const { runId } = run.facts;
    const holder = run.lease?.owner ?? "";
    throw refuse(
      "EPOCH_STALE",
      `epoch ${context.leaseEpoch} of run ${runId} is stale: the run is at epoch ${run.epoch}${holder === "" ? "" : `, held by ${holder}`}; resume the run to go on`,
      { run_id: runId, current_epoch: String(run.epoch), holder },
    );
  }
}

/** The run must exist, and the caller must not be fenced off: what every write on a run checks first. */
export function mustBeWritable(run: Run, runId: string, context: Context): void {
  mustExist(run, runId);
  mustNotBeFenced(run, context);
}

/** The run must be open to new work (R12). */
export function mustBeOpen(run: Run, what: string): void {
  const { status } = run;
  if (hasEnded(status) || status === "COMPENSATING" || status === "STUCK") {
    const { runId } = run.facts;
    throw refuse("RUN_ENDED", `${what} is not allowed: run ${runId} is ${status}`, { run_id: runId, status });
  }
}

/** The effect must have been begun in this run. */
export function mustHaveEffect(run: Run, key: string, reason: "EFFECT_NOT_FOUND" | "EFFECT_NOT_BEGUN"): Effect {
  const effect = run.effects.get(key);
  if (effect !== undefined) return effect;
  const { runId } = run.facts;
  const why = reason === "EFFECT_NOT_BEGUN" ? "call BeginEffect first" : "check the idempotency key";
  throw refuse(reason, `effect ${key} does not exist in run ${runId}; ${why}`, { run_id: runId, idempotency_key: key });
}

/** The obligation must have been registered in this run. */
export function mustHaveObligation(run: Run, seq: number): Obligation {
  const obligation = run.obligations.get(seq);
  if (obligation !== undefined) return obligation;
  const { runId } = run.facts;
  throw refuse("OBLIGATION_NOT_FOUND", `obligation ${seq} does not exist in run ${runId}`, {
    run_id: runId,
    obligation_seq: String(seq),
  });
}

/** When the caller says who it is, it must hold the live claim. */
export function mustHoldClaim(run: Run, claim: Claim | null, context: Context, of: string): void {
  if (context.claimer === "") return;
  const live = liveClaim(claim, context.now);
  if (live?.by !== context.claimer) {
    const { runId } = run.facts;
    const holder = live?.by ?? "";
    throw refuse(
      "CLAIM_HELD",
      `${context.claimer} does not hold the claim on ${of} of run ${runId}: ${holder === "" ? "nobody does, it has expired or was given back" : `${holder} does`}`,
      { run_id: runId, claimer: context.claimer, holder },
    );
  }
}

/** A transition that this state does not allow (R5). */
export const notAllowed = (run: Run, message: string, ids: Readonly<Record<string, string>> = {}): TapeError =>
  refuse("TRANSITION_NOT_ALLOWED", message, { run_id: run.facts.runId, ...ids });

/** Whether this request id is among the last on the row (R3). */
export const isRepeat = (requests: readonly string[], context: Context): boolean =>
  context.requestHash !== "" && requests.includes(context.requestHash);

/** Remembers the request id, if there is one. */
export const remember = (context: Context): readonly RunEvent[] =>
  context.requestHash === "" ? [] : [{ kind: "head/request", hash: context.requestHash }];

/** Writes down that an expired claim has made the effect UNKNOWN (R25); nothing if it has not. */
export const expiry = (run: Run, effect: Effect, now: number): readonly RunEvent[] =>
  effect.status === "PENDING" && effectStatusAt(effect, now) === "UNKNOWN"
    ? [effectEvent(run, effect, "unknown", "UNKNOWN", { transition: "claim_expired", claimer: effect.claim?.by ?? "" })]
    : [];

/** How many of these events become entries. */
export const entriesIn = (events: readonly RunEvent[]): number =>
  events.reduce((count, event) => ("ref" in event ? count + 1 : count), 0);
