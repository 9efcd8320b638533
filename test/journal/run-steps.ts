import fc from "fast-check";
import { TapeError } from "../../src/errors.ts";
import { defaultLimits as limits } from "../../src/journal/limits.ts";
import type { Decide } from "../../src/journal/row.ts";
import { chargeBudget, setBudget } from "../../src/journal/run/budget.ts";
import { compactOld, compactRun, deleteOld } from "../../src/journal/run/compaction.ts";
import { recordDecision } from "../../src/journal/run/decisions.ts";
import {
  claimEffectDispatch,
  recordDispatchAttempt,
  recordExternalObservation,
} from "../../src/journal/run/dispatch.ts";
import { tidyReconcile } from "../../src/journal/run/due.ts";
import { completeEffect, reconcileEffect } from "../../src/journal/run/effects.ts";
import type { RunEvent } from "../../src/journal/run/events.ts";
import { awaitSignal, sendSignal } from "../../src/journal/run/gates.ts";
import { endRun, resumeRun } from "../../src/journal/run/lifecycle.ts";
import {
  claimObligation,
  recordObligationAttempt,
  registerCompensation,
  resolveObligation,
} from "../../src/journal/run/obligations.ts";
import type { Run } from "../../src/journal/run/run.ts";
import { cancelTimer, setTimer, takeTimers, tick } from "../../src/journal/run/timers.ts";
import { startMs, type RowDriver, type Saying } from "./row-driver.ts";
import { begin, beginKey, runId } from "./run-driver.ts";

/** One random act on a run: a call, or time that passes. */
export interface Step {
  readonly name: string;
  readonly take: (run: RowDriver<Run, RunEvent>) => void;
}

interface Command {
  readonly what: string;
  readonly decide: (run: Run) => Decide<Run, RunEvent, unknown>;
}

const command = (what: string, ...decides: Decide<Run, RunEvent, unknown>[]): fc.Arbitrary<Command> =>
  fc.constantFrom(...decides.map((decide, i) => ({ what: `${what} ${i}`, decide: () => decide })));

const who = fc.constantFrom("ada", "bob");
const keys = fc.constantFrom("inline", "look", "mail", "wire");
const kinds = {
  inline: { semantics: "IDEMPOTENT", dispatchMode: "INLINE", businessKey: "order 1" },
  look: { semantics: "OBSERVE_ONLY", dispatchMode: "OUTBOX", connector: "other/bank" },
  mail: { semantics: "IDEMPOTENT", dispatchMode: "OUTBOX" },
  wire: { semantics: "NON_IDEMPOTENT", dispatchMode: "OUTBOX", businessKey: "order 2" },
} as const;
const gates = fc.constantFrom("g", "h");
/** Times around now, and none. */
const soon = fc.constantFrom(0, 1, startMs + 1000, startMs + 90_000, startMs + 200_000, startMs + 4_000_000);
const payload = fc.constantFrom("", "1", '{"a":"ü"}');

const onEffects = fc.tuple(keys, who, soon, payload).chain(([key, claimer, next, response]) => {
  const at = { runId, idempotencyKey: key };
  const brought = { ...at, responseJson: response, errorJson: response };
  const seen = { ...brought, externalRef: response, compensateOnDuplicateKind: "undo" };
  return fc.oneof(
    { weight: 4, arbitrary: command(`begin ${key}`, beginKey(key, { ...kinds[key], requestJson: response })) },
    {
      weight: 4,
      arbitrary: command(`dispatch ${key}`, claimEffectDispatch({ ...at, claimer, leaseTtlMs: 30_000 }, limits)),
    },
    command(`attempt ${key}`, recordDispatchAttempt({ ...at, error: response, nextDispatchAtMs: next }, limits)),
    command(
      `complete ${key}`,
      completeEffect({ ...brought, status: "CONFIRMED" }, limits),
      completeEffect({ ...brought, status: "FAILED" }, limits),
      completeEffect({ ...brought, status: "UNKNOWN" }, limits),
    ),
    command(`reconcile ${key}`, reconcileEffect({ ...brought, resolvedStatus: "CONFIRMED" }, limits)),
    command(
      `observe ${key}`,
      recordExternalObservation({ ...seen, resolution: "FAILED" }, limits),
      recordExternalObservation({ ...seen, resolution: "ABSENT" }, limits),
      recordExternalObservation({ ...seen, resolution: "DUPLICATE" }, limits),
      recordExternalObservation({ ...seen, resolution: "STUCK" }, limits),
    ),
    command("begin what is not granted", beginKey("denied", { ...kinds.wire, toolName: "vault", scope: claimer })),
    command(`promise ${key}`, registerCompensation({ runId, effectKey: key, kind: "undo", maxAttempts: 2 }, limits)),
  );
});

/** On an obligation that there is, or on none. */
const onObligations = fc.tuple(fc.nat(4), who, soon, payload, fc.nat(4)).map(([which, claimer, next, text, what]) => {
  const decide = (run: Run): Decide<Run, RunEvent, unknown> => {
    const seqs = [...run.obligations.keys()];
    const at = { runId, obligationSeq: seqs[which % Math.max(1, seqs.length)] ?? 1 };
    if (what <= 1) return claimObligation({ ...at, claimer }, limits);
    if (what === 2) return recordObligationAttempt({ ...at, error: text, nextAttemptAtMs: next }, limits);
    return resolveObligation({ ...at, status: what === 3 ? "COMPENSATED" : "STUCK", resultJson: text }, limits);
  };
  return { what: `obligation ${which} ${what}`, decide };
});

const onGatesAndTimers = fc.tuple(gates, soon, payload).chain(([gateName, fireAtMs, text]) => {
  const payloadJson = JSON.stringify({ gate: gateName, resolution: text });
  const timer = (timerId: string, kind: string): Decide<Run, RunEvent, unknown> =>
    setTimer({ runId, timerId, fireAtMs: Math.max(1, fireAtMs), kind, payloadJson }, limits);
  return fc.oneof(
    command(`await ${gateName}`, awaitSignal({ runId, gateName, payloadJson: text }, limits)),
    command(`signal ${gateName}`, sendSignal({ runId, gateName, resolutionJson: text }, runId, limits)),
    command("timer", timer("a", "gate_timeout"), timer("b", "redrive"), timer("c", "own"), timer("", "own")),
    command("cancel timer", cancelTimer({ runId, timerId: "a" }, limits), cancelTimer({ runId, timerId: "c" }, limits)),
    command("take timers", takeTimers(["a", "b", "c"], fireAtMs)),
  );
});

const onRun = fc.tuple(who, payload, fc.nat(2)).chain(([owner, text, index]) => {
  const end = (
    status: "TERMINAL" | "FAILED" | "CANCELLED" | "COMPENSATING" | "STUCK",
  ): Decide<Run, RunEvent, unknown> => endRun({ runId, status, detailJson: text }, limits);
  return fc.oneof(
    command("begin run", begin({ leaseOwner: owner, leaseTtlMs: 60_000, labels: { b: "1", a: text } })),
    command("resume", resumeRun({ runId, leaseOwner: owner, leaseTtlMs: 60_000 }, limits)),
    command(
      "end",
      end("COMPENSATING"),
      end("COMPENSATING"),
      end("STUCK"),
      end("FAILED"),
      end("TERMINAL"),
      end("CANCELLED"),
    ),
    command("decide", recordDecision({ runId, decisionIndex: index, model: "m", responseJson: text }, limits)),
    command("charge", chargeBudget({ runId, usd: index / 7, tokens: index }, limits)),
    command("caps", setBudget({ runId, usdCap: index, tokenCap: index }, limits)),
    command("tick", tick),
    command("tidy", tidyReconcile),
    command("compact", compactRun({ runId }, limits), compactOld(soonest), deleteOld(soonest)),
  );
});

/** Whatever ended up to the first minute of a history may be removed by retention. */
const soonest = startMs + 60_000;

const saying: fc.Arbitrary<Saying> = fc.record({
  claimer: fc.constantFrom("", "", "ada"),
  requestHash: fc.constantFrom("", "", "r1", "r2"),
  occurrence: fc.constantFrom(1, 1, 2),
  strict: fc.boolean(),
});

const call: fc.Arbitrary<Step> = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: onEffects }, { weight: 2, arbitrary: onObligations }, onGatesAndTimers, onRun),
    saying,
  )
  .map(([{ what, decide }, said]) => ({
    name: `${what} ${JSON.stringify(said)}`,
    take: (run) => {
      try {
        run.call(decide(run.state), said);
      } catch (error) {
        if (!(error instanceof TapeError)) throw error;
      }
    },
  }));

const pause: fc.Arbitrary<Step> = fc.constantFrom(1, 999, 30_000, 60_000, 130_000).map((ms) => ({
  name: `${ms} ms pass`,
  take: (run) => {
    run.now += ms;
  },
}));

/** A step that makes each of these calls that is not refused. */
const step = (name: string, decides: (run: Run) => readonly Decide<Run, RunEvent, unknown>[]): Step => ({
  name,
  take: (run) => {
    for (const decide of decides(run.state)) {
      try {
        run.call(decide);
      } catch (error) {
        if (!(error instanceof TapeError)) throw error;
      }
    }
  },
});

/** What brings a run to rest, however it stands. */
const toRest: readonly Step[] = [
  step("resume", () => [resumeRun({ runId, leaseOwner: "ada" }, limits)]),
  step("end", () => [endRun({ runId, status: "FAILED" }, limits)]),
  step("settle", (run) =>
    [...run.openEffects].map((idempotencyKey) =>
      reconcileEffect({ runId, idempotencyKey, resolvedStatus: "CONFIRMED" }, limits),
    ),
  ),
  step("resolve", (run) =>
    [...run.openObligations]
      .toReversed()
      .map((obligationSeq) => resolveObligation({ runId, obligationSeq, status: "COMPENSATED" }, limits)),
  ),
];

const compactedThenDeleted = fc
  .array(call, { maxLength: 4 })
  .map((more): readonly Step[] => [
    ...toRest,
    step("compact", () => [compactRun({ runId }, limits)]),
    ...more,
    step("compact again", () => [compactOld(Infinity)]),
    step("delete", () => [deleteOld(Infinity)]),
    ...more,
  ]);

/** A random history of a run, beginning with its beginning. */
export const histories: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 8, arbitrary: call }, pause), { maxLength: 60, size: "max" }),
    fc.oneof(fc.constant<readonly Step[]>([]), compactedThenDeleted),
  )
  .map(([steps, end]) => [
    { name: "begin", take: (run) => void run.call(begin({ leaseOwner: "ada" })) },
    ...steps,
    ...end,
  ]);
