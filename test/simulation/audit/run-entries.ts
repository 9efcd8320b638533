import type { InvariantName } from "../world/violation.ts";
import type { Meta, ReadEntry } from "./journal-entry.ts";
import { mustBeDue, mustCountDispatch, mustCountUndoing } from "./attempt-rules.ts";
import { mayBecome, mustBeGranted } from "./run-rules.ts";
import { isSettled, newestOpen, type EffectRecord, type ObligationRecord, type RunRecord } from "./run-record.ts";

/** How long claims last in simulated worlds, in milliseconds: everybody asks for the same. */
export const claimMs = 5000;

/** Smaller amounts belong to one step of a script and are charged with its request id, whoever charges them. */
export const knownBelow = 100;

/** A server that lists timers and then takes them may have had its clock corrected in between, by so much. */
const widestDoubtMs = 40_000;

/** Says that something is wrong. */
export type Complain = (invariant: InvariantName, what: string) => void;

/** Adds an entry to what is known of a run, and says what is wrong with it. */
export function applyEntry(run: RunRecord, entry: ReadEntry, complain: Complain): void {
  const [noun = ""] = entry.kind.split("/");
  if (entry.seq !== run.seq + 1) complain("row-equals-memory", `entry ${entry.seq} comes after ${run.seq}`);
  run.seq = entry.seq;
  if (!isAllowed(run, entry)) {
    complain("run-table", `${entry.kind} was written though the run is ${run.status}`);
  }
  appliers[noun]?.(run, entry, complain);
}

/** What a run takes in the state it is in (R12). */
function isAllowed(run: RunRecord, { kind, meta }: ReadEntry): boolean {
  const { status } = run;
  const isLive = status === "RUNNABLE" || status === "RUNNING" || status === "WAITING";
  if (status === "") return kind === "run/running";
  if (isLive || kind.startsWith("obligation/")) return true;
  if (kind.startsWith("effect/")) return run.effects.has(meta.idempotency_key);
  if (kind === "timer/cancelled") return true;
  if (status === "COMPENSATING") return kind === "run/failed" || kind === "run/stuck" || kind === "gate/released";
  if (status !== "STUCK") return false;
  return kind.startsWith("run/") || kind.startsWith("gate/") || kind.startsWith("timer/");
}

const appliers: Readonly<Record<string, (run: RunRecord, entry: ReadEntry, complain: Complain) => void>> = {
  run: (run, entry, complain) => {
    const { meta } = entry;
    mayBecome(run, entry, complain);
    run.status = meta.status;
    run.statuses.add(meta.status);
  },
  decision: (run, { meta, body }, complain) => {
    const index = meta.decision_index;
    if (run.decisions.has(index)) complain("first-outcome-wins", `decision ${index} was recorded twice`);
    run.decisions.set(index, body[1] ?? "");
  },
  policy: (run, { meta }, complain) => {
    const denied = JSON.stringify([meta.tool, meta.required_scope]);
    if (run.denials.has(denied)) complain("first-outcome-wins", `the denial of ${denied} was recorded twice`);
    run.denials.add(denied);
  },
  effect: applyEffect,
  obligation: applyObligation,
  gate: (run, { kind, meta, body }, complain) => {
    if (kind === "gate/waiting") {
      run.status = "WAITING";
      run.awaited.set(meta.gate, Math.max(meta.occurrence, run.awaited.get(meta.gate) ?? 1));
      return;
    }
    const answers = run.gates.get(meta.gate) ?? [];
    if (meta.occurrence !== answers.length + 1 || meta.occurrence > (run.awaited.get(meta.gate) ?? 1)) {
      complain("first-outcome-wins", `wait ${meta.occurrence} at gate ${meta.gate} was answered out of turn or twice`);
    }
    const [answer = ""] = body;
    if (isLate(answer) && !answer.includes('"timed_out":true')) {
      complain("timer-fires-once", `gate ${meta.gate} was answered by a timeout, and told ${answer}`);
    }
    answers.push(answer);
    run.gates.set(meta.gate, answers);
    if (run.status === "WAITING") run.status = "RUNNABLE";
  },
  timer: applyTimer,
  budget: (run, { meta }, complain) => {
    if (meta.tokens < knownBelow && run.charges.includes(meta.tokens)) {
      complain("charged-once", `the charge of ${meta.tokens} tokens has a request id and was counted twice`);
    }
    run.charges.push(meta.tokens);
    const sum = run.charges.reduce((total, tokens) => total + tokens, 0);
    if (meta.tokens_spent !== sum) {
      complain("charged-once", `${meta.tokens_spent} tokens are recorded as spent, the charges add up to ${sum}`);
    }
  },
};

/** Whether it is what timeouts of simulated gates resolve to. */
const isLate = (answer: string): boolean => answer.includes('"late":true');

function applyEffect(run: RunRecord, entry: ReadEntry, complain: Complain): void {
  const { kind, meta, at, body } = entry;
  const key = meta.idempotency_key;
  const known = run.effects.get(key);
  if (known === undefined) {
    mustBeGranted(meta, complain);
    run.effects.set(key, newEffect(meta, at));
    if (meta.business_key !== "") run.ownedKeys.add(JSON.stringify([meta.connector, meta.business_key]));
    return;
  }
  if (isSettled(known.status)) complain("first-outcome-wins", `effect ${key} was ${known.status}, then came ${kind}`);
  if (kind === "effect/pending" && meta.transition === undefined) {
    complain("first-outcome-wins", `effect ${key} was begun twice`);
  }
  if (kind === "effect/claimed") {
    claimEffect(run, known, entry, complain);
    return;
  }
  if (known.status === "UNKNOWN" && meta.status === "PENDING" && known.semantics === "NON_IDEMPOTENT") {
    complain("no-second-dispatch", `effect ${key} is NON_IDEMPOTENT and was put back from UNKNOWN to PENDING`);
  }
  mustCountDispatch(known, entry, complain);
  known.status = meta.status;
  known.attempts = meta.dispatch_attempts ?? known.attempts;
  known.externalRef = meta.external_ref ?? known.externalRef;
  known.isStuck = meta.resolution === "STUCK";
  known.claim = null;
  known.nextDispatchAtMs = meta.next_dispatch_at_ms ?? known.nextDispatchAtMs;
  if (body[0] !== undefined && body[0] !== "") known.response = body[0];
}

const newEffect = (meta: Meta, at: number): EffectRecord => ({
  key: meta.idempotency_key,
  semantics: meta.semantics,
  mode: meta.dispatch_mode,
  connector: meta.connector,
  at,
  status: meta.status,
  nextDispatchAtMs: 0,
  attempts: 0,
  externalRef: "",
  response: "",
  isStuck: false,
  claim: null,
});

function claimEffect(run: RunRecord, effect: EffectRecord, { meta, at }: ReadEntry, complain: Complain): void {
  const { key, claim } = effect;
  const by = meta.claimer ?? "";
  if (claim !== null && claim.until > at) {
    complain("claim-is-exclusive", `effect ${key} was claimed by ${by} while ${claim.by} held it`);
  } else if (claim !== null && effect.semantics === "NON_IDEMPOTENT") {
    complain("no-second-dispatch", `effect ${key} was claimed by ${by} after the claim of ${claim.by} had expired`);
  }
  mustBeDue(`effect ${key}`, effect.nextDispatchAtMs || effect.at, at, complain);
  if (effect.status !== "PENDING") complain("no-second-dispatch", `effect ${key} was claimed when ${effect.status}`);
  run.claims.add(`${key} ${by}`);
  effect.claim = { by, until: at + claimMs };
}

function applyObligation(run: RunRecord, entry: ReadEntry, complain: Complain): void {
  const { kind, meta, at, body } = entry;
  const seq = meta.obligation_seq;
  const known = run.obligations.get(seq);
  if (known === undefined) {
    const name = `${meta.kind} of ${meta.effect_key}`;
    if ([...run.obligations.values()].some((other) => other.name === name)) {
      complain("first-outcome-wins", `${name} was promised twice`);
    }
    const dueAtOnce = meta.transition === "duplicate";
    const nextAttemptAtMs = meta.next_attempt_at_ms;
    const promise = { seq, name, at, maxAttempts: Number(body[2]), attempts: meta.attempts, nextAttemptAtMs };
    run.obligations.set(seq, { ...promise, dueAtOnce, status: "PENDING", claim: null });
    return;
  }
  mustCountUndoing(known, entry, complain);
  if (known.status === "COMPENSATED") complain("first-outcome-wins", `obligation ${seq} was undone, then came ${kind}`);
  if (kind === "obligation/committed") mayBeWorkedOn(run, known, at, complain);
  if (meta.transition === "duplicate") known.dueAtOnce = true;
  known.status = meta.status;
  known.attempts = meta.attempts;
  known.nextAttemptAtMs = meta.next_attempt_at_ms;
  known.claim = kind === "obligation/committed" ? { by: "", until: at + claimMs } : null;
}

function mayBeWorkedOn(run: RunRecord, obligation: ObligationRecord, at: number, complain: Complain): void {
  const { seq, claim, dueAtOnce, nextAttemptAtMs } = obligation;
  mustBeDue(`obligation ${seq}`, nextAttemptAtMs, at, complain);
  if (claim !== null && claim.until > at) {
    complain("claim-is-exclusive", `obligation ${seq} was claimed while ${claim.by} held it`);
  }
  const isNext = run.status === "COMPENSATING" && newestOpen(run) === obligation;
  if (!dueAtOnce && !isNext) {
    complain(
      "newest-first",
      `obligation ${seq} was claimed before ${newestOpen(run)?.seq ?? 0}, in a ${run.status} run`,
    );
  }
}

function applyTimer(run: RunRecord, { kind, meta, at }: ReadEntry, complain: Complain): void {
  const id = meta.timer_id;
  const known = run.timers.get(id);
  if (kind === "timer/fired" && known?.state !== "set") {
    complain("timer-fires-once", `timer ${id} fired though it was ${known?.state ?? "never set"}`);
  } else if (kind === "timer/fired" && meta.fire_at_ms > at + widestDoubtMs) {
    complain("timer-fires-once", `timer ${id} fired ${meta.fire_at_ms - at} ms too early`);
  }
  if (kind === "timer/fired" && known !== undefined && meta.fire_at_ms !== known.fireAtMs) {
    complain("timer-fires-once", `timer ${id} fired for ${meta.fire_at_ms}, it was set for ${known.fireAtMs}`);
  }
  if (kind === "timer/set" && known?.state === "set" && known.fireAtMs === meta.fire_at_ms) {
    complain("request-counts-once", `timer ${id} was set again for the same time`);
  }
  if (kind === "timer/set" && known?.state === "fired") complain("timer-fires-once", `timer ${id} was set again`);
  const state = kind === "timer/set" ? "set" : kind === "timer/fired" ? "fired" : "cancelled";
  const wasCancelled = state === "cancelled" || known?.wasCancelled === true;
  run.timers.set(id, { kind: meta.kind, fireAtMs: meta.fire_at_ms, state, wasCancelled });
}
