import type { PastEntry, Place } from "../row.ts";
import { entryMeta } from "../entry-meta.ts";
import type {
  BudgetMeta,
  EffectMeta,
  GateMeta,
  ObligationMeta,
  RunEvent,
  RunJournalEvent,
  RunMeta,
  TimerMeta,
  DecisionMeta,
} from "./events.ts";
import { businessKeyHash, forgetRun, setTerms } from "./removal.ts";
import { payloadBytes } from "./events.ts";
import { setFacts } from "./facts.ts";
import { businessKeyRef, hasEnded, type Effect, type Mark, type Obligation, type Run } from "./run.ts";

/** How many request ids a row remembers (R3). */
const rememberedRequests = 64;

/** Applies one event. Total over the kinds of events; invents nothing. */
export function evolveRun(run: Run, event: RunEvent, place: Place): void {
  switch (event.kind) {
    case "head/facts":
      setFacts(run, event.facts);
      return;
    case "head/lease":
      run.lease = event.lease;
      run.epoch = event.epoch;
      return;
    case "head/runnable":
      run.status = "RUNNABLE";
      run.waiting = null;
      run.lease = null;
      run.runnableAtMs = event.at;
      return;
    case "head/claim-effect": {
      const effect = run.effects.get(event.key);
      if (effect !== undefined) effect.claim = event.claim;
      return;
    }
    case "head/claim-obligation": {
      const obligation = run.obligations.get(event.seq);
      if (obligation !== undefined) obligation.claim = event.claim;
      return;
    }
    case "head/caps":
      run.budget = { ...run.budget, usdCap: event.usdCap, tokenCap: event.tokenCap };
      return;
    case "head/request":
      run.requests = [...run.requests.slice(1 - rememberedRequests), event.hash];
      return;
    case "head/reconcile-since":
      run.reconcileSinceMs = event.ms;
      return;
    case "head/compacted":
      run.compactedSeq = run.seq;
      run.payloadBytes = 0;
      setTerms(run, event.terms);
      return;
    case "head/deleted":
      forgetRun(run, event.at, [...run.businessKeys.keys()].map(businessKeyHash));
      return;
    default:
      run.payloadBytes += payloadBytes(event);
      evolveJournaled(run, event, place);
  }
}

/** Applies an entry of the past. What the head alone knows (claims, leases) is laid over it afterwards. */
export function evolvePast(run: Run, entry: PastEntry): void {
  const event = { kind: entry.kind, ref: entry.ref, dims: "", meta: entryMeta(entry.meta) };
  evolveJournaled(run, event as RunJournalEvent, entry);
  run.seq = entry.seq;
}

function evolveJournaled(run: Run, event: RunJournalEvent, place: Place): void {
  switch (event.kind) {
    case "run/running":
    case "run/terminal":
    case "run/failed":
    case "run/cancelled":
    case "run/stuck":
    case "run/compensating":
      evolveStatus(run, event.meta, place);
      return;
    case "decision/recorded":
      evolveDecision(run, event.meta, place);
      return;
    case "effect/pending":
    case "effect/claimed":
    case "effect/confirmed":
    case "effect/failed":
    case "effect/unknown":
    case "effect/observed":
      evolveEffect(run, event.kind, event.meta, place);
      return;
    case "obligation/pending":
    case "obligation/committed":
    case "obligation/compensated":
    case "obligation/stuck":
      evolveObligation(run, event.kind, event.meta, place);
      return;
    case "gate/waiting":
    case "gate/released":
      evolveGate(run, event.kind, event.meta, place);
      return;
    case "timer/set":
    case "timer/fired":
    case "timer/cancelled":
      evolveTimer(run, event.kind, event.meta, place);
      return;
    case "budget/charged":
      evolveCharge(run, event.meta);
      return;
    case "policy/denied":
      run.denials.add(event.ref);
      return;
    default:
      unknownKind(event);
  }
}

function unknownKind(event: never): never {
  throw new RangeError(`unknown kind of entry: ${(event as { kind: string }).kind}`);
}

function evolveStatus(run: Run, meta: RunMeta, place: Place): void {
  run.status = meta.status;
  run.waiting = null;
  if (meta.status === "COMPENSATING") run.draining = true;
  if (meta.status === "RUNNING") run.draining = false;
  else run.lease = null;
  run.stuckAtMs = meta.status === "STUCK" ? place.at : 0;
  run.endings = meta.status === "RUNNING" ? [] : [...run.endings, place.seq];
  run.endedAtMs = hasEnded(meta.status) ? place.at : 0;
}

function evolveDecision(run: Run, meta: DecisionMeta, place: Place): void {
  run.decisions.set(meta.decision_index, {
    index: meta.decision_index,
    seq: place.seq,
    at: place.at,
    model: meta.model,
    policyVersion: meta.policy_version,
    rationale: meta.rationale,
  });
}

function evolveEffect(run: Run, kind: string, meta: EffectMeta, place: Place): void {
  const key = meta.idempotency_key;
  const known = run.effects.get(key);
  if (known === undefined) {
    const effect: Effect = {
      key,
      seq: place.seq,
      at: place.at,
      decisionIndex: meta.decision_index,
      tool: meta.tool,
      semantics: meta.semantics,
      mode: meta.dispatch_mode,
      businessKey: meta.business_key,
      connector: meta.connector,
      scope: meta.scope,
      status: "PENDING",
      attempts: 0,
      nextDispatchAtMs: meta.next_dispatch_at_ms ?? 0,
      externalRef: "",
      lastError: "",
      claim: null,
      resolution: "",
      unknownAtMs: 0,
      answerSeqs: [],
    };
    run.effects.set(key, effect);
    run.openEffects.add(key);
    if (meta.business_key !== "") run.businessKeys.set(businessKeyRef(meta.connector, meta.business_key), key);
    return;
  }
  if (meta.status !== "UNKNOWN") known.unknownAtMs = 0;
  else if (known.unknownAtMs === 0) known.unknownAtMs = place.at;
  known.status = meta.status;
  known.attempts = meta.dispatch_attempts ?? known.attempts;
  known.nextDispatchAtMs = meta.next_dispatch_at_ms ?? known.nextDispatchAtMs;
  known.lastError = meta.error ?? known.lastError;
  known.externalRef = meta.external_ref ?? known.externalRef;
  known.resolution = meta.resolution ?? "";
  if (kind !== "effect/claimed") known.claim = null;
  if (kind !== "effect/claimed" && kind !== "effect/pending") known.answerSeqs = [...known.answerSeqs, place.seq];
  if (meta.status === "CONFIRMED" || meta.status === "FAILED") run.openEffects.delete(key);
}

function evolveObligation(run: Run, kind: string, meta: ObligationMeta, place: Place): void {
  const known = run.obligations.get(meta.obligation_seq);
  if (known === undefined) {
    const obligation: Obligation = {
      seq: meta.obligation_seq,
      at: place.at,
      effectKey: meta.effect_key,
      kind: meta.kind,
      dueAtOnce: meta.transition === "duplicate",
      status: "PENDING",
      attempts: 0,
      nextAttemptAtMs: meta.next_attempt_at_ms,
      lastError: "",
      claim: null,
      stuckAtMs: 0,
      resultSeq: 0,
      terms: null,
    };
    run.obligations.set(obligation.seq, obligation);
    run.openObligations.add(obligation.seq);
    return;
  }
  if (meta.transition === "duplicate") known.dueAtOnce = true;
  if (meta.status !== "STUCK") known.stuckAtMs = 0;
  else if (known.stuckAtMs === 0) known.stuckAtMs = place.at;
  known.status = meta.status;
  known.attempts = meta.attempts;
  known.nextAttemptAtMs = meta.next_attempt_at_ms;
  known.lastError = meta.error;
  if (kind !== "obligation/committed") known.claim = null;
  if (kind === "obligation/compensated" || kind === "obligation/stuck") known.resultSeq = place.seq;
  if (meta.status === "COMPENSATED") run.openObligations.delete(known.seq);
}

function evolveGate(run: Run, kind: string, meta: GateMeta, place: Place): void {
  const gate = run.gates.get(meta.gate) ?? {
    awaited: 0,
    answers: [],
    answeredAtMs: [],
    waits: new Map<number, Mark>(),
  };
  run.gates.set(meta.gate, gate);
  if (kind === "gate/waiting") {
    gate.awaited = Math.max(gate.awaited, meta.occurrence);
    if (!gate.waits.has(meta.occurrence)) gate.waits.set(meta.occurrence, { seq: place.seq, at: place.at });
    run.status = "WAITING";
    run.waiting = { gate: meta.gate, occurrence: meta.occurrence };
    run.lease = null;
  } else {
    gate.answers.push(place.seq);
    gate.answeredAtMs.push(place.at);
  }
}

function evolveTimer(run: Run, kind: string, meta: TimerMeta, place: Place): void {
  const id = meta.timer_id;
  const known = run.timers.get(id);
  const state = kind === "timer/set" ? "set" : kind === "timer/fired" ? "fired" : "cancelled";
  run.timers.set(id, {
    id,
    kind: meta.kind,
    fireAtMs: meta.fire_at_ms,
    createdAtMs: known !== undefined && known.state === "set" ? known.createdAtMs : place.at,
    seq: state === "set" || known === undefined ? place.seq : known.seq,
    state,
  });
  if (state === "set") run.unfiredTimers.add(id);
  else run.unfiredTimers.delete(id);
}

function evolveCharge(run: Run, meta: BudgetMeta): void {
  run.budget = {
    ...run.budget,
    usdSpent: Math.round(meta.usd_spent * 1e6),
    tokensSpent: meta.tokens_spent,
  };
}
