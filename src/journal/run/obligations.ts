import { TapeError } from "../../errors.ts";
import type {
  ClaimObligationRequest,
  ClaimObligationResponse,
  ListObligationsRequest,
  ListObligationsResponse,
  ObligationRecord,
  RecordObligationAttemptRequest,
  RegisterCompensationRequest,
  ResolveObligationRequest,
} from "../../model/obligation.ts";
import type { Limits } from "../limits.ts";
import { acceptReading, type Context, type Decide, type Outcome } from "../row.ts";
import { effectId, integer, json, oneOf, oneOfOr, optionalId, requiredId, text } from "../validate.ts";
import { claimMs } from "./lease.ts";
import { obligationEvent, statusEvent, type RunEvent } from "./events.ts";
import {
  isRepeat,
  mustBeWritable,
  mustExist,
  mustHaveEffect,
  mustHaveObligation,
  mustHoldClaim,
  notAllowed,
  remember,
} from "./guard.ts";
import { dueObligations, hasEnded, liveClaim, type Obligation, type Run } from "./run.ts";
import { maxAttemptsOf, obligationBodies, obligationView } from "./views.ts";

/** R30. */
export const defaultMaxAttempts = 5;

/** The obligation of this kind for this effect, if it was registered: there is at most one (R30). */
export function obligationFor(run: Run, effectKey: string, kind: string): Obligation | undefined {
  for (const obligation of run.obligations.values()) {
    if (obligation.effectKey === effectKey && obligation.kind === kind) return obligation;
  }
  return undefined;
}

function answer(
  run: Run,
  obligation: Obligation,
  events: readonly RunEvent[],
  change: Partial<Obligation>,
  context: Context,
  resultJson = "",
): Outcome<RunEvent, ObligationRecord> {
  const view = obligationView(run, { ...obligation, ...change }, context.now);
  return acceptReading(events, obligationBodies(obligation), (bodies) => {
    const record = view(bodies);
    return resultJson === "" ? record : { ...record, resultJson };
  });
}

/** RegisterCompensation (R30): a promise, not an order. */
export function registerCompensation(
  request: RegisterCompensationRequest,
  limits: Limits,
): Decide<Run, RunEvent, ObligationRecord> {
  const runId = requiredId("run_id", request.runId, limits);
  const effectKey = effectId("effect_key", request.effectKey, limits);
  const kind = requiredId("kind", request.kind, limits);
  const payload = json("payload_json", request.payloadJson, limits);
  const compensator = optionalId("compensator_ref", request.compensatorRef, limits);
  const attempts = integer("max_attempts", request.maxAttempts);
  if (attempts < 0) throw new TapeError("ARGUMENT_INVALID", "max_attempts must not be negative");
  const maxAttempts = attempts === 0 ? defaultMaxAttempts : attempts;
  return (run, context) => {
    mustBeWritable(run, runId, context);
    mustHaveEffect(run, effectKey, "EFFECT_NOT_FOUND");
    const known = obligationFor(run, effectKey, kind);
    if (known !== undefined) return answer(run, known, [], {}, context);
    const seq = run.seq + 1;
    const fresh: Obligation = {
      seq,
      at: context.now,
      effectKey,
      kind,
      dueAtOnce: false,
      status: "PENDING",
      attempts: 0,
      nextAttemptAtMs: 0,
      lastError: "",
      claim: null,
      stuckAtMs: 0,
      resultSeq: 0,
      terms: null,
    };
    const body = [payload, compensator, String(maxAttempts)];
    const view = obligationView(run, fresh, context.now);
    const event = obligationEvent(run, fresh, "pending", "registered", body);
    return acceptReading([event], [], () => view((wanted) => (wanted === seq ? body : null)));
  };
}

/** Whether this obligation is one that somebody should work on now (R30, R31). */
const isDue = (run: Run, obligation: Obligation, now: number): boolean =>
  obligation.status !== "STUCK" &&
  obligation.status !== "COMPENSATED" &&
  obligation.nextAttemptAtMs <= now &&
  dueObligations(run).includes(obligation);

/** ClaimObligation (R31): one winner. */
export function claimObligation(
  request: ClaimObligationRequest,
  limits: Limits,
): Decide<Run, RunEvent, ClaimObligationResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const seq = integer("obligation_seq", request.obligationSeq);
  const claimer = requiredId("claimer", request.claimer, limits);
  const ms = claimMs(request.leaseTtlMs);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const obligation = mustHaveObligation(run, seq);
    const holder = liveClaim(obligation.claim, context.now);
    const acquired = isDue(run, obligation, context.now) && (holder === null || holder.by === claimer);
    const claim = { by: claimer, expiresAtMs: context.now + ms };
    const events: RunEvent[] = [];
    if (acquired) {
      if (holder === null) events.push(obligationEvent(run, obligation, "committed", "claimed"));
      events.push({ kind: "head/claim-obligation", seq, claim });
    }
    const view = obligationView(
      run,
      acquired ? { ...obligation, status: "COMMITTED", claim } : obligation,
      context.now,
    );
    return acceptReading(events, obligationBodies(obligation), (bodies) => ({ acquired, obligation: view(bodies) }));
  };
}

/** The run becomes STUCK with one of its obligations, unless it is over or STUCK already (R32). */
const stuckRun = (run: Run): RunEvent[] =>
  hasEnded(run.status) || run.status === "STUCK" ? [] : [statusEvent(run.facts, "STUCK")];

/** RecordObligationAttempt (R32): the compensation failed this time. */
export function recordObligationAttempt(
  request: RecordObligationAttemptRequest,
  limits: Limits,
): Decide<Run, RunEvent, ObligationRecord> {
  const runId = requiredId("run_id", request.runId, limits);
  const seq = integer("obligation_seq", request.obligationSeq);
  const error = text("error", request.error, limits);
  const next = integer("next_attempt_at_ms", request.nextAttemptAtMs);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const obligation = mustHaveObligation(run, seq);
    if (isRepeat(run.requests, context)) return answer(run, obligation, [], {}, context);
    mustHoldClaim(run, obligation.claim, context, `obligation ${seq}`);
    if (obligation.status !== "COMMITTED" || liveClaim(obligation.claim, context.now) === null) {
      const why = obligation.status === "COMMITTED" ? "its claim has expired" : `it is ${obligation.status}`;
      throw notAllowed(run, `no attempt of obligation ${seq} can be recorded: ${why}`, { obligation_seq: String(seq) });
    }
    if (context.bodies(seq) === undefined) return { kind: "needs-bodies", seqs: [seq] };
    const attempts = obligation.attempts + 1;
    const isStuck = next <= 0 || attempts >= maxAttemptsOf(seq, context.bodies);
    const change = { attempts, nextAttemptAtMs: Math.max(0, next), lastError: error, claim: null } as const;
    const changed = { ...obligation, ...change };
    const events = isStuck
      ? [obligationEvent(run, changed, "stuck", "attempted"), ...stuckRun(run)]
      : [obligationEvent(run, changed, "pending", "attempted")];
    const status = isStuck ? "STUCK" : "PENDING";
    return answer(run, obligation, [...events, ...remember(context)], { ...change, status }, context);
  };
}

/** ResolveObligation (R32): the compensation ended. */
export function resolveObligation(
  request: ResolveObligationRequest,
  limits: Limits,
): Decide<Run, RunEvent, ObligationRecord> {
  const runId = requiredId("run_id", request.runId, limits);
  const seq = integer("obligation_seq", request.obligationSeq);
  const status = oneOf("status", request.status, ["COMPENSATED", "STUCK"] as const);
  const result = json("result_json", request.resultJson, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const obligation = mustHaveObligation(run, seq);
    if (obligation.status === "COMPENSATED" || obligation.status === status) {
      return answer(run, obligation, [], {}, context);
    }
    mustHoldClaim(run, obligation.claim, context, `obligation ${seq}`);
    if (obligation.status === "PENDING" && !dueObligations(run).includes(obligation)) {
      throw notAllowed(run, `obligation ${seq} cannot be resolved: it is not due`, { obligation_seq: String(seq) });
    }
    const verb = status === "STUCK" ? "stuck" : "compensated";
    const event = obligationEvent(run, obligation, verb, "resolved", result === "" ? undefined : [result]);
    const events = [event, ...(status === "STUCK" ? stuckRun(run) : afterCompensated(run, seq))];
    return answer(run, obligation, events, { status, claim: null }, context, result);
  };
}

/** A run being undone goes on, or is done: FAILED, when this was the last obligation (R32). */
function afterCompensated(run: Run, seq: number): RunEvent[] {
  if (!run.draining || hasEnded(run.status)) return [];
  const others = [...run.openObligations].filter((open) => open !== seq);
  if (others.length === 0) return [statusEvent(run.facts, "FAILED")];
  const stillStuck = others.some((open) => run.obligations.get(open)?.status === "STUCK");
  return run.status === "STUCK" && !stillStuck ? [statusEvent(run.facts, "COMPENSATING")] : [];
}

const statuses = ["UNSPECIFIED", "PENDING", "COMMITTED", "COMPENSATED", "STUCK"] as const;

/** ListObligations (R33): newest first. */
export function listObligations(
  request: ListObligationsRequest,
  limits: Limits,
): Decide<Run, RunEvent, ListObligationsResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const wanted = oneOfOr("status_filter", request.statusFilter, statuses);
  return (run, context) => {
    mustExist(run, runId);
    const found = [...run.obligations.values()]
      .filter((item) => (request.onlyUnresolved === true ? item.status !== "COMPENSATED" : true))
      .filter((item) => wanted === "UNSPECIFIED" || item.status === wanted)
      .toSorted((a, b) => b.seq - a.seq);
    const views = found.map((item) => obligationView(run, item, context.now));
    return acceptReading([], found.flatMap(obligationBodies), (bodies) => ({
      obligations: views.map((view) => view(bodies)),
    }));
  };
}
