import type { TapeErrorCode } from "../../errors.ts";
import type { EffectResolution, EffectSemantics, EffectStatus } from "../../model/effect.ts";
import type { ObligationStatus } from "../../model/obligation.ts";
import type { RunStatus } from "../../model/run.ts";

/** One effect as the rules say it must be. */
interface ModelEffect {
  readonly key: string;
  readonly semantics: EffectSemantics;
  readonly outbox: boolean;
  status: EffectStatus;
  response: string;
  attempts: number;
  claimedBy: string;
  claimedUntil: number;
  /** Someone said STUCK, and nobody has found out since. */
  stuck: boolean;
}

/** One obligation as the rules say it must be. */
interface ModelObligation {
  readonly name: string;
  readonly maxAttempts: number;
  /** Born of a DUPLICATE: due at once. */
  readonly atOnce: boolean;
  status: ObligationStatus;
  attempts: number;
  claimedBy: string;
  claimedUntil: number;
}

/**
 * One run as the rules say it must be: a second reading of the tables of `docs/semantics.md`, kept as simple as they
 * are. It knows no journal, no versions and no commits.
 */
export interface RunModel {
  now: number;
  status: RunStatus;
  owner: string;
  leasedUntil: number;
  epoch: number;
  /** Being undone, or stuck while it was, or undone. */
  undoing: boolean;
  waitingGate: string;
  waitingOccurrence: number;
  readonly decisions: Map<number, string>;
  readonly effects: Map<string, ModelEffect>;
  /** Oldest first. */
  readonly obligations: ModelObligation[];
  readonly answers: Map<string, string[]>;
  readonly awaited: Map<string, number>;
  usdMicros: number;
  tokens: number;
  usdCapMicros: number;
  tokenCap: number;
  /** Its payloads are gone. */
  compacted: boolean;
}

/** What a call must do: fail with one of the codes, or answer with these fields. `skip`: the rules leave it open. */
export type Prediction =
  | { readonly kind: "refused"; readonly codes: readonly TapeErrorCode[] }
  | { readonly kind: "answer"; readonly fields: object; readonly writes: boolean }
  | { readonly kind: "skip" };

/** A run that was begun just now by its first owner. */
export function newRun(now: number, owner: string, epoch: number, leaseMs: number): RunModel {
  return {
    now,
    status: "RUNNING",
    owner,
    leasedUntil: now + leaseMs,
    epoch,
    undoing: false,
    waitingGate: "",
    waitingOccurrence: 0,
    decisions: new Map(),
    effects: new Map(),
    obligations: [],
    answers: new Map(),
    awaited: new Map(),
    usdMicros: 0,
    tokens: 0,
    usdCapMicros: 0,
    tokenCap: 0,
    compacted: false,
  };
}

const refuse = (...codes: TapeErrorCode[]): Prediction => ({ kind: "refused", codes });
const answer = (fields: object, writes: boolean): Prediction => ({ kind: "answer", fields, writes });
const skip: Prediction = { kind: "skip" };
const claimMs = 60_000;

const live = (run: RunModel): boolean => ["RUNNABLE", "RUNNING", "WAITING"].includes(run.status);
const ended = (run: RunModel): boolean => ["TERMINAL", "FAILED", "CANCELLED"].includes(run.status);
const open = (obligation: ModelObligation): boolean => obligation.status !== "COMPENSATED";
const effectFields = (effect: ModelEffect): object => ({ status: effect.status, response: effect.response });

function settle(run: RunModel, status: RunStatus): void {
  run.status = status;
  run.owner = "";
  run.leasedUntil = 0;
  run.waitingGate = "";
  run.undoing = status === "COMPENSATING" || ((status === "STUCK" || status === "FAILED") && run.undoing);
}

/** Lets time go on (R25: an expired claim of a non-idempotent effect is UNKNOWN from that instant). */
export function advance(run: RunModel, ms: number): void {
  run.now += ms;
  for (const effect of run.effects.values()) {
    if (
      effect.status === "PENDING" &&
      effect.claimedBy !== "" &&
      effect.claimedUntil < run.now &&
      effect.semantics === "NON_IDEMPOTENT"
    ) {
      effect.status = "UNKNOWN";
    }
  }
}

/** BeginRun (`must` false) and ResumeRun. */
export function acquire(run: RunModel, owner: string, leaseMs: number, must: boolean): Prediction {
  if (!live(run)) {
    const stuck =
      run.obligations.some((each) => each.status === "STUCK") || [...run.effects.values()].some((each) => each.stuck);
    if (!must) return answer({ status: run.status, leaseEpoch: 0 }, false);
    if (run.status !== "STUCK" || stuck) return refuse("FAILED_PRECONDITION");
  }
  const leased = run.status === "RUNNING" && run.owner !== "" && run.leasedUntil > run.now;
  if (leased && run.owner !== owner) return refuse("ABORTED");
  const writes = run.status !== "RUNNING";
  if (!leased) run.epoch += 1;
  settle(run, "RUNNING");
  run.owner = owner;
  run.leasedUntil = run.now + leaseMs;
  return answer({ status: "RUNNING", leaseEpoch: run.epoch }, writes);
}

/** EndRun. */
export function end(run: RunModel, status: RunStatus): Prediction {
  // What was asked for as COMPENSATING is FAILED when all is undone; the same call again is answered with that.
  const undone = run.status === "FAILED" && run.undoing && status === "COMPENSATING";
  if (run.status === status || undone) return answer({ status: run.status }, false);
  const allowed = live(run) || (run.status === "STUCK" && (status === "FAILED" || status === "CANCELLED"));
  if (!allowed) return refuse("FAILED_PRECONDITION");
  if (status === "TERMINAL" && [...run.effects.values()].some((each) => each.status === "UNKNOWN"))
    return refuse("FAILED_PRECONDITION");
  if (status === "COMPENSATING" && run.obligations.some((each) => each.status === "COMMITTED")) return skip;
  settle(run, status);
  if (status === "COMPENSATING" && !run.obligations.some(open)) settle(run, "FAILED");
  return answer({ status: run.status }, true);
}

/** RecordDecision. */
export function decide(run: RunModel, index: number, response: string): Prediction {
  const recorded = run.decisions.get(index);
  const diverged = !run.compacted && recorded !== response;
  if (recorded !== undefined) return answer({ response: recorded, diverged }, false);
  if (!live(run)) return refuse("FAILED_PRECONDITION");
  run.decisions.set(index, response);
  return answer({ response, diverged: false }, true);
}

/** BeginEffect. */
export function begin(run: RunModel, key: string, semantics: EffectSemantics, outbox: boolean): Prediction {
  const recorded = run.effects.get(key);
  if (recorded !== undefined) return answer(effectFields(recorded), false);
  if (!live(run)) return refuse("FAILED_PRECONDITION");
  const effect = {
    key,
    semantics,
    outbox,
    status: "PENDING",
    response: "",
    attempts: 0,
    claimedBy: "",
    claimedUntil: 0,
    stuck: false,
  } as const;
  run.effects.set(key, { ...effect });
  return answer(effectFields(effect), true);
}

function settleEffect(effect: ModelEffect, status: EffectStatus, response: string): Prediction {
  effect.status = status;
  effect.response = response === "" ? effect.response : response;
  effect.claimedBy = "";
  effect.stuck &&= status === "UNKNOWN";
  return answer(effectFields(effect), true);
}

/** CompleteEffect. */
export function complete(run: RunModel, key: string, status: EffectStatus, response: string): Prediction {
  const effect = run.effects.get(key);
  if (effect === undefined) return refuse("FAILED_PRECONDITION");
  const mayRunAgain = effect.status === "UNKNOWN" && status !== "UNKNOWN" && effect.semantics !== "NON_IDEMPOTENT";
  if (effect.status !== "PENDING" && !mayRunAgain) return answer(effectFields(effect), false);
  return settleEffect(effect, status, response);
}

/** ReconcileEffect, and observations that settle. */
export function reconcile(run: RunModel, key: string, status: EffectStatus, response: string): Prediction {
  const effect = run.effects.get(key);
  if (effect === undefined) return refuse("NOT_FOUND");
  if (effect.status !== "PENDING" && effect.status !== "UNKNOWN") return answer(effectFields(effect), false);
  return settleEffect(effect, status, response);
}

/** RecordExternalObservation. */
export function observe(run: RunModel, key: string, resolution: EffectResolution, response: string): Prediction {
  const effect = run.effects.get(key);
  if (effect === undefined) return refuse("NOT_FOUND");
  if (effect.status !== "PENDING" && effect.status !== "UNKNOWN") return answer(effectFields(effect), false);
  switch (resolution) {
    case "ABSENT":
      return settleEffect(effect, effect.semantics === "NON_IDEMPOTENT" ? "FAILED" : "PENDING", response);
    case "DUPLICATE":
      if (!live(run) && !ended(run)) return skip;
      run.obligations.push({
        name: `${key} refund`,
        maxAttempts: 5,
        atOnce: true,
        status: "PENDING",
        attempts: 0,
        claimedBy: "",
        claimedUntil: 0,
      });
      return settleEffect(effect, "CONFIRMED", response);
    case "STUCK":
      if (!live(run)) return skip;
      settle(run, "STUCK");
      effect.stuck = true;
      return settleEffect(effect, "UNKNOWN", response);
    default:
      return settleEffect(effect, resolution, response);
  }
}

/** ClaimEffectDispatch; every effect of the model is due at once. */
export function claim(run: RunModel, key: string, claimer: string): Prediction {
  const effect = run.effects.get(key);
  if (effect === undefined) return refuse("NOT_FOUND");
  const held = effect.claimedBy !== "" && effect.claimedUntil > run.now;
  if (!effect.outbox || effect.status !== "PENDING" || (held && effect.claimedBy !== claimer)) {
    return answer({ acquired: false, ...effectFields(effect) }, false);
  }
  const writes = !held;
  effect.claimedBy = claimer;
  effect.claimedUntil = run.now + claimMs;
  // Whether a renewal is an entry is nobody's business.
  return answer({ acquired: true, ...effectFields(effect) }, writes);
}

/** RecordDispatchAttempt. */
export function attempt(run: RunModel, key: string, claimer: string, again: boolean): Prediction {
  const effect = run.effects.get(key);
  if (effect === undefined) return refuse("NOT_FOUND");
  if (effect.status !== "PENDING" || effect.claimedBy === "") return refuse("FAILED_PRECONDITION", "ABORTED");
  if (effect.claimedUntil <= run.now) return skip;
  if (claimer !== "" && claimer !== effect.claimedBy) return refuse("ABORTED");
  effect.attempts += 1;
  return settleEffect(effect, again ? "PENDING" : "UNKNOWN", "");
}

/** RegisterCompensation. */
export function promise(run: RunModel, key: string, maxAttempts: number): Prediction {
  if (!run.effects.has(key)) return refuse("NOT_FOUND");
  const recorded = run.obligations.find((each) => each.name === `${key} undo`);
  if (recorded !== undefined) return answer({ obligation: recorded.status }, false);
  if (!live(run)) return skip;
  run.obligations.push({
    name: `${key} undo`,
    maxAttempts,
    atOnce: false,
    status: "PENDING",
    attempts: 0,
    claimedBy: "",
    claimedUntil: 0,
  });
  return answer({ obligation: "PENDING" }, true);
}

/** ClaimObligation. */
export function claimObligation(run: RunModel, name: string, claimer: string): Prediction {
  const obligation = run.obligations.find((each) => each.name === name);
  if (obligation === undefined) return skip;
  const newest = run.obligations.findLast(open) === obligation;
  if ((run.status === "COMPENSATING" && obligation.atOnce && !newest) || run.status === "STUCK") return skip;
  const due = obligation.atOnce || (run.status === "COMPENSATING" && newest);
  const held = obligation.status === "COMMITTED" && obligation.claimedUntil > run.now;
  const free =
    obligation.status === "PENDING" ||
    (obligation.status === "COMMITTED" && (!held || obligation.claimedBy === claimer));
  if (!due || !free) return answer({ acquired: false, obligation: obligation.status }, false);
  obligation.status = "COMMITTED";
  obligation.claimedBy = claimer;
  obligation.claimedUntil = run.now + claimMs;
  return answer({ acquired: true, obligation: "COMMITTED" }, !held);
}

/** RecordObligationAttempt (`outcome` undefined) and ResolveObligation. */
export function work(
  run: RunModel,
  name: string,
  claimer: string,
  outcome: "COMPENSATED" | "STUCK" | "again" | "never",
): Prediction {
  const obligation = run.obligations.find((each) => each.name === name);
  if (obligation === undefined) return skip;
  const resolving = outcome === "COMPENSATED" || outcome === "STUCK";
  if (obligation.status === "COMPENSATED" && resolving) return answer({ obligation: "COMPENSATED" }, false);
  // Nobody holds the claim of what is STUCK, so whoever says to be its holder is not.
  if (obligation.status === "STUCK" && outcome === "COMPENSATED")
    return claimer === "" ? compensated(run, obligation) : refuse("ABORTED");
  if (obligation.status !== "COMMITTED") return resolving ? skip : refuse("FAILED_PRECONDITION", "ABORTED");
  if (obligation.claimedUntil <= run.now) return skip;
  if (claimer !== "" && claimer !== obligation.claimedBy) return refuse("ABORTED");
  if (outcome === "COMPENSATED") return compensated(run, obligation);
  obligation.claimedBy = "";
  if (!resolving) obligation.attempts += 1;
  const stuck = outcome !== "again" || obligation.attempts >= obligation.maxAttempts;
  obligation.status = stuck ? "STUCK" : "PENDING";
  if (stuck && !ended(run)) settle(run, "STUCK");
  return answer({ obligation: obligation.status }, true);
}

function compensated(run: RunModel, obligation: ModelObligation): Prediction {
  obligation.status = "COMPENSATED";
  obligation.claimedBy = "";
  const stuck = run.obligations.some((each) => each.status === "STUCK");
  if (run.undoing && !ended(run) && !stuck) settle(run, run.obligations.some(open) ? "COMPENSATING" : "FAILED");
  return answer({ obligation: "COMPENSATED" }, true);
}

/** CompactRun. */
export function compact(run: RunModel): Prediction {
  const isOpen = [...run.effects.values()].some(({ status }) => status === "PENDING" || status === "UNKNOWN");
  const isOwed = (each: ModelObligation): boolean => open(each) && (each.atOnce || each.status !== "PENDING");
  if (!ended(run) || isOpen || run.obligations.some(isOwed)) return refuse("FAILED_PRECONDITION");
  const [decisions, effects] = run.compacted ? [0, 0] : [run.decisions.size, run.effects.size];
  const fields = { alreadyCompacted: run.compacted, decisions, effects };
  run.compacted = true;
  for (const index of run.decisions.keys()) run.decisions.set(index, "");
  for (const effect of run.effects.values()) effect.response = "";
  for (const answers of run.answers.values()) answers.fill("");
  return answer(fields, false);
}

/** AwaitSignal. */
export function wait(run: RunModel, gate: string, occurrence: number): Prediction {
  const recorded = run.answers.get(gate)?.[occurrence - 1];
  if (recorded !== undefined) return answer({ delivered: true, resolution: recorded }, false);
  const nothing = { delivered: false, resolution: "" };
  if (run.status === "WAITING" && run.waitingGate === gate)
    return run.waitingOccurrence === occurrence ? answer(nothing, false) : skip;
  if (run.status !== "RUNNING") return refuse("FAILED_PRECONDITION");
  settle(run, "WAITING");
  run.waitingGate = gate;
  run.waitingOccurrence = occurrence;
  run.awaited.set(gate, Math.max(occurrence, run.awaited.get(gate) ?? 1));
  return answer(nothing, true);
}

/** SendSignal. */
export function send(run: RunModel, gate: string, resolution: string): Prediction {
  if (ended(run)) return refuse("FAILED_PRECONDITION");
  const answers = run.answers.get(gate) ?? [];
  const accepted = answers.length < (run.awaited.get(gate) ?? 1);
  if (accepted) run.answers.set(gate, [...answers, resolution]);
  const released = accepted && run.waitingGate === gate && run.waitingOccurrence === answers.length + 1;
  if (released) settle(run, "RUNNABLE");
  return answer({ accepted, status: run.status }, accepted);
}

/** ChargeBudget. */
export function charge(run: RunModel, micros: number, tokens: number): Prediction {
  if (!live(run)) return refuse("FAILED_PRECONDITION");
  run.usdMicros += micros;
  run.tokens += tokens;
  return answer({ micros: run.usdMicros, tokens: run.tokens }, true);
}

/** SetBudget. */
export function cap(run: RunModel, micros: number, tokens: number): Prediction {
  if (!live(run)) return refuse("FAILED_PRECONDITION");
  run.usdCapMicros = micros;
  run.tokenCap = tokens;
  return answer({ micros: run.usdMicros, tokens: run.tokens }, false);
}

/** AdmitBudget. */
export function admit(run: RunModel, micros: number, tokens: number): Prediction {
  const fits = (limit: number, spent: number, wanted: number): boolean => limit <= 0 || spent + wanted <= limit;
  return answer(
    { admitted: fits(run.usdCapMicros, run.usdMicros, micros) && fits(run.tokenCap, run.tokens, tokens) },
    false,
  );
}
