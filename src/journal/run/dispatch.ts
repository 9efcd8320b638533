import type {
  ClaimEffectDispatchRequest,
  ClaimEffectDispatchResponse,
  EffectRecord,
  RecordDispatchAttemptRequest,
  RecordExternalObservationRequest,
} from "../../model/effect.ts";
import type { Limits } from "../limits.ts";
import { acceptReading, type Context, type Decide, type Outcome } from "../row.ts";
import { effectId, integer, oneOf, optionalId, requiredId, text } from "../validate.ts";
import { answerEffect, answerOf } from "./effects.ts";
import { effectEvent, obligationEvent, statusEvent, type EffectMeta, type RunEvent } from "./events.ts";
import {
  entriesIn,
  expiry,
  isRepeat,
  mustBeWritable,
  mustHaveEffect,
  mustHoldClaim,
  notAllowed,
  remember,
} from "./guard.ts";
import { claimMs } from "./lease.ts";
import { defaultMaxAttempts, obligationFor } from "./obligations.ts";
import { effectStatusAt, hasEnded, liveClaim, type Effect, type Run } from "./run.ts";
import { effectBodies, effectView, type EffectAnswer } from "./views.ts";

/** ClaimEffectDispatch (R24, R25): exactly one winner. */
export function claimEffectDispatch(
  request: ClaimEffectDispatchRequest,
  limits: Limits,
): Decide<Run, RunEvent, ClaimEffectDispatchResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const key = effectId("idempotency_key", request.idempotencyKey, limits);
  const claimer = requiredId("claimer", request.claimer, limits);
  const ms = claimMs(request.leaseTtlMs);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const effect = mustHaveEffect(run, key, "EFFECT_NOT_FOUND");
    const answer = (
      acquired: boolean,
      events: readonly RunEvent[],
      change: Partial<Effect>,
    ): Outcome<RunEvent, ClaimEffectDispatchResponse> => {
      const view = effectView(run, { ...effect, ...change }, context.now);
      return acceptReading(events, effectBodies(effect), (bodies) => ({ acquired, effect: view(bodies) }));
    };
    const holder = liveClaim(effect.claim, context.now);
    const isDue = (effect.nextDispatchAtMs || effect.at) <= context.now;
    const claimable =
      effect.mode === "OUTBOX" &&
      effectStatusAt(effect, context.now) === "PENDING" &&
      (holder === null ? isDue : holder.by === claimer);
    if (!claimable) return answer(false, expiry(run, effect, context.now), {});
    const claim = { by: claimer, expiresAtMs: context.now + ms };
    const events: RunEvent[] = [{ kind: "head/claim-effect", key, claim }];
    if (holder === null) {
      events.unshift(effectEvent(run, effect, "claimed", "PENDING", { transition: "claimed", claimer }));
    }
    return answer(true, events, { claim });
  };
}

/** RecordDispatchAttempt (R26): the attempt ended, its outcome is not known or it did not take place. */
export function recordDispatchAttempt(
  request: RecordDispatchAttemptRequest,
  limits: Limits,
): Decide<Run, RunEvent, EffectRecord> {
  const runId = requiredId("run_id", request.runId, limits);
  const key = effectId("idempotency_key", request.idempotencyKey, limits);
  const error = text("error", request.error, limits);
  const next = integer("next_dispatch_at_ms", request.nextDispatchAtMs);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const effect = mustHaveEffect(run, key, "EFFECT_NOT_FOUND");
    if (isRepeat(run.requests, context)) return answerEffect(run, effect, [], {}, context);
    mustHoldClaim(run, effect.claim, context, `effect ${key}`);
    const now = effectStatusAt(effect, context.now);
    if (now !== "PENDING" || liveClaim(effect.claim, context.now) === null) {
      throw notAllowed(
        run,
        `no dispatch attempt of effect ${key} can be recorded: ${now === "PENDING" ? "nobody holds a claim on it" : `it is ${now}`}`,
        { idempotency_key: key, status: now },
      );
    }
    const status = next <= 0 ? "UNKNOWN" : "PENDING";
    const attempts = effect.attempts + 1;
    const nextDispatchAtMs = Math.max(0, next);
    const event = effectEvent(run, effect, status === "UNKNOWN" ? "unknown" : "pending", status, {
      transition: "attempted",
      dispatch_attempts: attempts,
      error,
      next_dispatch_at_ms: nextDispatchAtMs,
    });
    const change = { status, attempts, nextDispatchAtMs, lastError: error, claim: null } as const;
    return answerEffect(run, effect, [event, ...remember(context)], change, context);
  };
}

interface Observation extends EffectAnswer {
  readonly runId: string;
  readonly key: string;
  readonly resolution: "CONFIRMED" | "FAILED" | "ABSENT" | "DUPLICATE" | "STUCK";
  readonly externalRef: string;
  readonly duplicateKind: string;
}

/** RecordExternalObservation (R27): what the outside world says about an act. */
export function recordExternalObservation(
  request: RecordExternalObservationRequest,
  limits: Limits,
): Decide<Run, RunEvent, EffectRecord> {
  const observation: Observation = {
    runId: requiredId("run_id", request.runId, limits),
    key: effectId("idempotency_key", request.idempotencyKey, limits),
    resolution: oneOf("resolution", request.resolution, [
      "CONFIRMED",
      "FAILED",
      "ABSENT",
      "DUPLICATE",
      "STUCK",
    ] as const),
    externalRef: optionalId("external_ref", request.externalRef, limits),
    ...answerOf(request, limits),
    duplicateKind:
      request.resolution === "DUPLICATE"
        ? requiredId("compensate_on_duplicate_kind", request.compensateOnDuplicateKind, limits)
        : optionalId("compensate_on_duplicate_kind", request.compensateOnDuplicateKind, limits),
  };
  return (run, context) => {
    mustBeWritable(run, observation.runId, context);
    const effect = mustHaveEffect(run, observation.key, "EFFECT_NOT_FOUND");
    if (!run.openEffects.has(effect.key) || isRepeat(run.requests, context) || saysNothingNew(effect, observation)) {
      return answerEffect(run, effect, [], {}, context);
    }
    mustHoldClaim(run, effect.claim, context, `effect ${effect.key}`);
    return observe(run, effect, observation, context);
  };
}

/** The same observation once more, with nothing happened in between (R3). */
const saysNothingNew = (effect: Effect, seen: Observation): boolean =>
  effect.resolution === seen.resolution &&
  (seen.externalRef === "" || seen.externalRef === effect.externalRef) &&
  seen.response === "" &&
  seen.error === "";

function observe(run: Run, effect: Effect, seen: Observation, context: Context): Outcome<RunEvent, EffectRecord> {
  const { verb, status, nextDispatchAtMs } = observedAs(effect, seen.resolution, context.now);
  const meta: Partial<EffectMeta> = {
    transition: "observed",
    resolution: seen.resolution,
    ...(seen.externalRef === "" ? {} : { external_ref: seen.externalRef }),
    ...(nextDispatchAtMs === undefined ? {} : { next_dispatch_at_ms: nextDispatchAtMs }),
  };
  const events: RunEvent[] = [
    ...expiry(run, effect, context.now),
    effectEvent(run, effect, verb, status, meta, [seen.response, seen.error]),
  ];
  if (seen.resolution === "DUPLICATE")
    events.push(...undoDuplicate(run, effect.key, seen.duplicateKind, entriesIn(events), context));
  if (seen.resolution === "STUCK" && !hasEnded(run.status) && run.status !== "STUCK") {
    events.push(statusEvent(run.facts, "STUCK"));
  }
  const change: Partial<Effect> = {
    status,
    claim: null,
    ...(seen.externalRef === "" ? {} : { externalRef: seen.externalRef }),
    ...(nextDispatchAtMs === undefined ? {} : { nextDispatchAtMs }),
  };
  return answerEffect(run, effect, [...events, ...remember(context)], change, context, seen);
}

/** The act happened twice: one of the two must be undone at once (R27), by a promise already made or a new one. */
function undoDuplicate(run: Run, effectKey: string, kind: string, entriesBefore: number, context: Context): RunEvent[] {
  const promised = obligationFor(run, effectKey, kind);
  if (promised !== undefined) {
    const due = { ...promised, nextAttemptAtMs: context.now };
    return promised.status === "PENDING" ? [obligationEvent(run, due, "pending", "duplicate")] : [];
  }
  const seq = run.seq + entriesBefore + 1;
  const born = { seq, effectKey, kind, attempts: 0, lastError: "", nextAttemptAtMs: context.now };
  return [obligationEvent(run, born, "pending", "duplicate", ["", "", String(defaultMaxAttempts)])];
}

interface Observed {
  readonly verb: "confirmed" | "failed" | "observed";
  readonly status: Effect["status"];
  readonly nextDispatchAtMs?: number;
}

/** What a resolution makes of an open effect. */
function observedAs(effect: Effect, resolution: Observation["resolution"], now: number): Observed {
  switch (resolution) {
    case "CONFIRMED":
    case "DUPLICATE":
      return { verb: "confirmed", status: "CONFIRMED" };
    case "FAILED":
      return { verb: "failed", status: "FAILED" };
    case "ABSENT":
      return effect.semantics === "NON_IDEMPOTENT"
        ? { verb: "failed", status: "FAILED" }
        : { verb: "observed", status: "PENDING", nextDispatchAtMs: now };
    case "STUCK":
      return { verb: "observed", status: "UNKNOWN" };
    default:
      return resolution satisfies never;
  }
}
