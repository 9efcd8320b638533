import { TapeError } from "../../errors.ts";
import type { CancelTimerRequest, CancelTimerResponse, SetTimerRequest, TimerRecord } from "../../model/timer.ts";
import type { Limits } from "../limits.ts";
import { accept, acceptReading, bodyText, type Context, type Decide } from "../row.ts";
import type { Seq } from "../../model/row.ts";
import { integer, json, jsonObject, optionalId, requiredId } from "../validate.ts";
import { timerEvent, type RunEvent } from "./events.ts";
import { deliver } from "./gates.ts";
import { expiry, mustBeOpen, mustBeWritable, notAllowed } from "./guard.ts";
import { builtInTimers, type Run, type Timer } from "./run.ts";
import { timerView } from "./views.ts";

interface GateTimeout {
  readonly gate: string;
  readonly resolution: unknown;
  /** Which wait it ends; absent: the one that is open when it fires. */
  readonly occurrence: number | null;
}

function gateTimeout(payload: string, limits: Limits): GateTimeout {
  const { gate, resolution, occurrence } = jsonObject("payload_json", payload, limits);
  if (typeof gate !== "string" || gate === "") {
    throw new TapeError(
      "ARGUMENT_INVALID",
      'payload_json of a gate_timeout must be {"gate": "...", "resolution": ...}',
    );
  }
  if (
    occurrence !== undefined &&
    !(typeof occurrence === "number" && Number.isSafeInteger(occurrence) && occurrence > 0)
  ) {
    throw new TapeError("ARGUMENT_INVALID", "occurrence in payload_json of a gate_timeout must be a positive integer");
  }
  return { gate: requiredId("gate", gate, limits), resolution, occurrence: occurrence ?? null };
}

/** SetTimer (R45): idempotent on the id. */
export function setTimer(request: SetTimerRequest, limits: Limits): Decide<Run, RunEvent, TimerRecord> {
  const runId = requiredId("run_id", request.runId, limits);
  const givenId = optionalId("timer_id", request.timerId, limits);
  const kind = requiredId("kind", request.kind, limits);
  const fireAtMs = integer("fire_at_ms", request.fireAtMs);
  if (fireAtMs <= 0) throw new TapeError("ARGUMENT_INVALID", "fire_at_ms must be positive: milliseconds since 1970");
  const payload = json("payload_json", request.payloadJson, limits);
  if (kind === "gate_timeout") gateTimeout(payload, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const id = givenId || `timer-${context.requestHash || context.freshId}`;
    const known = run.timers.get(id);
    if (known !== undefined && known.state !== "cancelled") {
      if (known.fireAtMs === fireAtMs) {
        return acceptReading([], [known.seq], (bodies) => timerView(runId, known, bodies));
      }
      if (known.state === "fired") {
        throw notAllowed(run, `timer ${id} cannot be moved: it has fired`, { timer_id: id });
      }
    }
    mustBeOpen(run, "setting a timer");
    const isNew = known?.state !== "set";
    if (isNew && run.unfiredTimers.size >= context.limits.unfiredTimers) {
      const limit = context.limits.unfiredTimers;
      throw new TapeError(
        "COUNT_LIMIT",
        `run ${runId} has ${run.unfiredTimers.size} unfired timers, the limit is ${limit}`,
        {
          ids: { run_id: runId, limit: String(limit) },
        },
      );
    }
    return accept([timerEvent(run, "set", { id, kind, fireAtMs }, payload)], {
      runId,
      timerId: id,
      fireAtMs,
      kind,
      payloadJson: payload,
      fired: false,
      createdAtMs: isNew ? context.now : known.createdAtMs,
    });
  };
}

/** CancelTimer: true also for a repeat; false for a timer that has fired or never was. */
export function cancelTimer(request: CancelTimerRequest, limits: Limits): Decide<Run, RunEvent, CancelTimerResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const id = requiredId("timer_id", request.timerId, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const timer = run.timers.get(id);
    const events = timer?.state === "set" ? [timerEvent(run, "cancelled", timer)] : [];
    return accept(events, { cancelled: timer !== undefined && timer.state !== "fired" });
  };
}

/** Unfired timers that are due, earliest first. */
export const dueTimers = (run: Run, now: number): readonly Timer[] =>
  [...run.unfiredTimers]
    .flatMap((id) => run.timers.get(id) ?? [])
    .filter((timer) => timer.fireAtMs <= now)
    .toSorted((a, b) => a.fireAtMs - b.fireAtMs);

type Fired =
  | { readonly kind: "accept"; readonly events: readonly RunEvent[] }
  | { readonly kind: "needs-bodies"; readonly seqs: readonly Seq[] };

/** Fires these timers, with what their kinds do (R46). Timers that are no longer set or not due are left out. */
function fire(run: Run, timers: readonly Timer[], context: Context): Fired {
  const needed = timers.filter((timer) => timer.kind === "gate_timeout" && context.bodies(timer.seq) === undefined);
  if (needed.length > 0) return { kind: "needs-bodies", seqs: needed.map((timer) => timer.seq) };
  const events: RunEvent[] = [];
  /** Answers given by earlier timers of this same commit. */
  const answered = new Map<string, number>();
  let runnable = false;
  for (const timer of timers) {
    events.push(timerEvent(run, "fired", timer));
    if (timer.kind === "gate_timeout") {
      const delivered = timeOut(run, timer, answered, context);
      runnable ||= delivered.some((event) => event.kind === "head/runnable");
      events.push(...delivered);
    }
    if (timer.kind === "redrive" && !runnable && mayBeRedriven(run, context.now)) {
      events.push({ kind: "head/runnable", at: context.now });
      runnable = true;
    }
  }
  return { kind: "accept", events };
}

function timeOut(run: Run, timer: Timer, answered: Map<string, number>, context: Context): RunEvent[] {
  const { gate, resolution, occurrence } = gateTimeout(bodyText(context.bodies, timer.seq, 0), context.limits);
  const { awaited, answers } = run.gates.get(gate) ?? { awaited: 0, answers: [] };
  const next = answers.length + (answered.get(gate) ?? 0) + 1;
  const isOpen = occurrence === null ? next <= Math.max(1, awaited) : next === occurrence;
  if (!isOpen) return [];
  answered.set(gate, (answered.get(gate) ?? 0) + 1);
  const isObject = typeof resolution === "object" && resolution !== null && !Array.isArray(resolution);
  const answer = isObject ? { ...resolution, timed_out: true } : { resolution: resolution ?? null, timed_out: true };
  return deliver(run, gate, next, JSON.stringify(answer), context.now);
}

/** A run that somebody drives just now needs no redrive. */
const mayBeRedriven = (run: Run, now: number): boolean =>
  run.status === "WAITING" || (run.status === "RUNNING" && (run.lease === null || run.lease.expiresAtMs <= now));

/**
 * Hands these timers, as far as they are still due, to one caller of ListDueTimers(claim). Payloads are asked for before
 * the commit, so that nothing can fail after it: a timer that has fired is handed out no more.
 */
export const takeTimers =
  (ids: readonly string[], untilMs: number): Decide<Run, RunEvent, readonly TimerRecord[]> =>
  (run, context) => {
    const due = dueTimers(run, untilMs).filter((timer) => ids.includes(timer.id));
    const needed = due.filter((timer) => context.bodies(timer.seq) === undefined);
    if (needed.length > 0) return { kind: "needs-bodies", seqs: needed.map((timer) => timer.seq) };
    const fired = fire(run, due, context);
    if (fired.kind !== "accept") return fired;
    const { runId } = run.facts;
    const records = due.map((timer) => timerView(runId, { ...timer, state: "fired" }, context.bodies));
    return accept(fired.events, records);
  };

/** What the server does by itself: fires built-in timers left over, writes down expired claims (R25, R46). */
export const tick: Decide<Run, RunEvent, void> = (run, context) => {
  const leftOver = dueTimers(run, context.now).filter((timer) => builtInTimers.has(timer.kind));
  const outcome = fire(run, leftOver, context);
  if (outcome.kind !== "accept") return outcome;
  const expired = [...run.openEffects].flatMap((key) => {
    const effect = run.effects.get(key);
    return effect === undefined ? [] : expiry(run, effect, context.now);
  });
  return accept([...outcome.events, ...expired], undefined);
};
