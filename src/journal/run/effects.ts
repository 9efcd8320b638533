import { TapeError } from "../../errors.ts";
import type { BeginEffectResult } from "../../model/call.ts";
import type {
  BeginEffectRequest,
  CompleteEffectRequest,
  EffectRecord,
  GetEffectRequest,
  GetEffectResponse,
  ReconcileEffectRequest,
} from "../../model/effect.ts";
import type { Limits } from "../limits.ts";
import { accept, acceptReading, bodyText, type BodyLookup, type Context, type Decide, type Outcome } from "../row.ts";
import { effectId, integer, json, oneMessage, oneOf, oneOfOr, optionalId, requiredId } from "../validate.ts";
import { divergence } from "./decisions.ts";
import { denialEvent, effectEvent, type EffectSubject, type RunEvent } from "./events.ts";
import { expiry, mustBeOpen, mustBeWritable, mustExist, mustHaveEffect, refuse } from "./guard.ts";
import { businessKeyRef, effectStatusAt, type Effect, type Run } from "./run.ts";
import { answerText, effectBodies, effectView, type EffectAnswer } from "./views.ts";

type EffectIntent = EffectSubject & { readonly runId: string; readonly requestJson: string; readonly toolName: string };

/** A valid BeginEffect (R20, R21). */
function effectIntent(request: BeginEffectRequest, limits: Limits): EffectIntent {
  const runId = requiredId("run_id", request.runId, limits);
  const tool = requiredId("tool_name", request.toolName, limits);
  const decisionIndex = integer("decision_index", request.decisionIndex);
  const callIndex = integer("call_index", request.callIndex);
  const customKey = optionalId("custom_key", request.customKey, limits);
  const semantics = oneOfOr("semantics", request.semantics, ["IDEMPOTENT", "NON_IDEMPOTENT", "OBSERVE_ONLY"]);
  const mode = oneOfOr("dispatch_mode", request.dispatchMode, ["INLINE", "OUTBOX"]);
  const businessKey = optionalId("business_key", request.businessKey, limits);
  const connector = optionalId("connector", request.connector, limits);
  if (semantics === "NON_IDEMPOTENT" && mode === "INLINE") {
    throw new TapeError(
      "ARGUMENT_INVALID",
      "a NON_IDEMPOTENT effect must have dispatch_mode OUTBOX: an agent that dies inside its own act cannot tell whether it happened",
    );
  }
  if (connector === "" && (mode === "OUTBOX" || businessKey !== "")) {
    throw new TapeError(
      "ARGUMENT_INVALID",
      `connector is required with ${mode === "OUTBOX" ? "dispatch_mode OUTBOX" : "a business_key"}`,
    );
  }
  const decision = decisionIndex < 0 ? "no-decision" : `decision-${decisionIndex}`;
  return {
    runId,
    key: customKey === "" ? `${runId}/${decision}/${tool}/${callIndex}` : customKey,
    tool,
    toolName: tool,
    decisionIndex,
    semantics,
    mode,
    businessKey,
    connector,
    scope: optionalId("scope", request.scope, limits),
    requestJson: json("request_json", request.requestJson, limits),
  };
}

/** BeginEffect (R20 to R22): writes the intent, or returns what is recorded. */
export function beginEffect(request: BeginEffectRequest, limits: Limits): Decide<Run, RunEvent, BeginEffectResult> {
  const intent = effectIntent(request, limits);
  return (run, context) => {
    mustBeWritable(run, intent.runId, context);
    const { businessKey, connector } = intent;
    const owner = businessKey === "" ? undefined : run.businessKeys.get(businessKeyRef(connector, businessKey));
    const known = run.effects.get(intent.key) ?? (owner === undefined ? undefined : run.effects.get(owner));
    if (known !== undefined) return recordedEffect(run, known, intent, context);
    mustBeOpen(run, "beginning an effect");
    const denied = denial(run, intent);
    if (denied !== null) return denied;
    if (run.openEffects.size >= context.limits.openEffects) {
      throw new TapeError(
        "COUNT_LIMIT",
        `run ${intent.runId} has ${run.openEffects.size} open effects, the limit is ${context.limits.openEffects}; settle some first`,
        { ids: { run_id: intent.runId, limit: String(context.limits.openEffects) } },
      );
    }
    if (businessKey !== "" && !context.businessKeyWon) {
      const { tenantId, runId } = run.facts;
      return { kind: "needs-business-key", tenantId, connector, businessKey, runId };
    }
    const body = [intent.requestJson];
    const events: RunEvent[] = [effectEvent(run, intent, "pending", "PENDING", {}, body)];
    if (intent.mode === "INLINE" && run.reconcileSinceMs === 0) {
      events.push({ kind: "head/reconcile-since", ms: context.now });
    }
    return accept(events, {
      seq: run.seq + 1,
      idempotencyKey: intent.key,
      status: "PENDING",
      responseJson: "",
      errorJson: "",
      diverged: false,
    });
  };
}

function recordedEffect(
  run: Run,
  known: Effect,
  intent: EffectIntent,
  context: Context,
): Outcome<RunEvent, BeginEffectResult> {
  const fixed = { seq: known.seq, idempotencyKey: known.key, status: effectStatusAt(known, context.now) };
  const { answerSeqs } = known;
  const differs =
    known.tool !== intent.tool ||
    known.decisionIndex !== intent.decisionIndex ||
    known.semantics !== intent.semantics ||
    known.mode !== intent.mode;
  const complete = (bodies: BodyLookup): BeginEffectResult => ({
    ...fixed,
    responseJson: answerText({ answerSeqs }, bodies, 0),
    errorJson: answerText({ answerSeqs }, bodies, 1),
    diverged: divergence(
      // A request that is gone cannot disagree (R75).
      differs || (fixed.seq > run.compactedSeq && bodyText(bodies, fixed.seq, 0) !== intent.requestJson),
      context,
      intent.runId,
      `effect ${fixed.idempotencyKey}`,
    ),
  });
  const seqs = effectBodies(known);
  if (!context.strict) return acceptReading([], seqs, complete);
  const missing = seqs.filter((seq) => context.bodies(seq) === undefined);
  return missing.length > 0 ? { kind: "needs-bodies", seqs: missing } : accept([], complete(context.bodies));
}

/** R21: a non-idempotent effect needs a scope that the run was granted; the first denial is journaled. */
function denial(run: Run, intent: EffectIntent): Outcome<RunEvent, BeginEffectResult> | null {
  const { scopes, runId } = run.facts;
  if (intent.semantics !== "NON_IDEMPOTENT" || (intent.scope !== "" && scopes.includes(intent.scope))) return null;
  const violation = intent.scope === "" ? "scope_missing" : "scope_not_granted";
  const error = refuse(
    "SCOPE_NOT_GRANTED",
    intent.scope === ""
      ? `tool ${intent.tool} is NON_IDEMPOTENT and names no scope; name one that run ${runId} was granted`
      : `run ${runId} was not granted scope ${intent.scope}, which tool ${intent.tool} needs; begin the run with it`,
    { run_id: runId, tool: intent.tool, scope: intent.scope },
  );
  const ref = `p/${JSON.stringify([intent.tool, intent.scope])}`;
  if (run.denials.has(ref)) throw error;
  const meta = {
    tool: intent.tool,
    decision_index: intent.decisionIndex,
    required_scope: intent.scope,
    granted_scopes: scopes,
    violation,
  };
  return { kind: "refuse", events: [denialEvent(run, ref, meta)], error };
}

/** How an effect looks after these events: what a settling call answers with. */
export function answerEffect(
  run: Run,
  effect: Effect,
  events: readonly RunEvent[],
  change: Partial<Effect>,
  context: Context,
  brought?: EffectAnswer,
): Outcome<RunEvent, EffectRecord> {
  const view = effectView(run, { ...effect, ...change }, context.now, brought);
  return acceptReading(events, effectBodies(effect), view);
}

/** Settles an effect as CONFIRMED, FAILED or UNKNOWN. */
function settle(
  run: Run,
  effect: Effect,
  status: "CONFIRMED" | "FAILED" | "UNKNOWN",
  transition: string,
  answer: EffectAnswer,
  context: Context,
): Outcome<RunEvent, EffectRecord> {
  const verb = ({ CONFIRMED: "confirmed", FAILED: "failed", UNKNOWN: "unknown" } as const)[status];
  const event = effectEvent(run, effect, verb, status, { transition }, [answer.response, answer.error]);
  const events = [...expiry(run, effect, context.now), event];
  return answerEffect(run, effect, events, { status, claim: null }, context, answer);
}

/** Validates the payloads of an answer. */
export function answerOf(
  request: { readonly responseJson?: string | undefined; readonly errorJson?: string | undefined },
  limits: Limits,
): EffectAnswer {
  const response = json("response_json", request.responseJson, limits);
  const error = json("error_json", request.errorJson, limits);
  oneMessage(limits, response, error);
  return { response, error };
}

/** CompleteEffect (R23). */
export function completeEffect(request: CompleteEffectRequest, limits: Limits): Decide<Run, RunEvent, EffectRecord> {
  const runId = requiredId("run_id", request.runId, limits);
  const key = effectId("idempotency_key", request.idempotencyKey, limits);
  const status = oneOf("status", request.status, ["CONFIRMED", "FAILED", "UNKNOWN"] as const);
  const answer = answerOf(request, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const effect = mustHaveEffect(run, key, "EFFECT_NOT_BEGUN");
    const now = effectStatusAt(effect, context.now);
    const maySettle =
      now === "PENDING" || (now === "UNKNOWN" && status !== "UNKNOWN" && effect.semantics !== "NON_IDEMPOTENT");
    if (maySettle) return settle(run, effect, status, "completed", answer, context);
    return answerEffect(run, effect, expiry(run, effect, context.now), {}, context);
  };
}

/** ReconcileEffect (R28). */
export function reconcileEffect(request: ReconcileEffectRequest, limits: Limits): Decide<Run, RunEvent, EffectRecord> {
  const runId = requiredId("run_id", request.runId, limits);
  const key = effectId("idempotency_key", request.idempotencyKey, limits);
  const status = oneOf("resolved_status", request.resolvedStatus, ["CONFIRMED", "FAILED"] as const);
  const answer = answerOf(request, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const effect = mustHaveEffect(run, key, "EFFECT_NOT_FOUND");
    if (!run.openEffects.has(key)) return answerEffect(run, effect, [], {}, context);
    return settle(run, effect, status, "reconciled", answer, context);
  };
}

/** GetEffect. */
export function getEffect(request: GetEffectRequest, limits: Limits): Decide<Run, RunEvent, GetEffectResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const key = effectId("idempotency_key", request.idempotencyKey, limits);
  return (run, context) => {
    mustExist(run, runId);
    const effect = run.effects.get(key);
    if (effect === undefined) return accept([], { found: false });
    const view = effectView(run, effect, context.now);
    return acceptReading([], effectBodies(effect), (bodies) => ({ found: true, effect: view(bodies) }));
  };
}
