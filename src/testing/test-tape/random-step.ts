import assert from "node:assert/strict";
import type { CallOptions } from "../../model/call.ts";
import type { EffectRecord, EffectSemantics } from "../../model/effect.ts";
import type { Tape } from "../../model/tape.ts";
import type { Random } from "../random.ts";
import * as rules from "./run-model.ts";
import type { Prediction, RunModel } from "./run-model.ts";

/** One call with what the rules say about it and what to compare of the answer. */
export interface Step {
  /** The call as the log of a failed walk has it. */
  readonly text: string;
  readonly predict: (run: RunModel) => Prediction;
  readonly send: (tape: Tape, options: CallOptions) => Promise<object>;
}

const owners = ["ada", "bob"];
const claimers = ["carl", "dora"];
const gates = ["g1", "g2"];
/** How long leases of a walk last. */
export const walkLeaseMs = 20_000;
/** Keys of the effects of a walk with what they are. */
export const walkEffects: Readonly<Record<string, { readonly semantics: EffectSemantics; readonly outbox: boolean }>> =
  {
    inline: { semantics: "IDEMPOTENT", outbox: false },
    mail: { semantics: "IDEMPOTENT", outbox: true },
    look: { semantics: "OBSERVE_ONLY", outbox: true },
    wire: { semantics: "NON_IDEMPOTENT", outbox: true },
  };

/** What is compared of an effect. */
export const seen = (effect: EffectRecord): object => ({ status: effect.status, response: effect.responseJson });
/** Dollars as whole micro-dollars. */
export const asMicros = (usd: number): number => Math.round(usd * 1e6);

/** One random call on the run. */
export function randomStep(random: Random, runId: string, seqs: ReadonlyMap<string, number>, first?: string): Step {
  const key = first ?? random.pick(Object.keys(walkEffects));
  const kind = walkEffects[key] ?? { semantics: "IDEMPOTENT", outbox: false };
  const at = { runId, idempotencyKey: key };
  const response = `"${random.hex(4)}"`;
  const [owner, claimer, gateName] = [random.pick(owners), random.pick(claimers), random.pick(gates)];
  const named = random.chance(0.5) ? claimer : "";
  const [newest = "none"] = seqs.keys();
  const due = random.chance(0.6) ? newest : random.pick([...seqs.keys(), "none"]);
  const obligation = { runId, obligationSeq: seqs.get(due) ?? 0 };
  const [micros, tokens, index] = [random.int(2000), random.int(50), random.int(3)];
  const occurrence = random.pick([1, 1, 2]);
  const steps: Record<string, () => Omit<Step, "text"> & { readonly how?: unknown }> = {
    resume: () => ({
      predict: (run) => rules.acquire(run, owner, walkLeaseMs, true),
      send: async (tape, options) => {
        const { run, leaseEpoch } = await tape.resumeRun(
          { runId, leaseOwner: owner, leaseTtlMs: walkLeaseMs },
          options,
        );
        return { status: run.status, leaseEpoch };
      },
    }),
    end: () => {
      const status = random.chance(0.6)
        ? "COMPENSATING"
        : random.pick(["TERMINAL", "FAILED", "CANCELLED", "STUCK"] as const);
      return {
        how: status,
        predict: (run) => rules.end(run, status),
        send: async (tape, options) => ({ status: (await tape.endRun({ runId, status }, options)).run.status }),
      };
    },
    decide: () => ({
      predict: (run) => rules.decide(run, index, response),
      send: async (tape, options) => {
        const decision = await tape.recordDecision({ runId, decisionIndex: index, responseJson: response }, options);
        return { response: decision.responseJson, diverged: decision.diverged };
      },
    }),
    begin: () => ({
      predict: (run) => rules.begin(run, key, kind.semantics, kind.outbox),
      send: async (tape, options) => {
        const begun = await tape.beginEffect(
          {
            runId,
            toolName: key,
            customKey: key,
            semantics: kind.semantics,
            dispatchMode: kind.outbox ? "OUTBOX" : "INLINE",
            connector: "bank",
            scope: "wire",
          },
          options,
        );
        return { status: begun.status, response: begun.responseJson };
      },
    }),
    complete: () => {
      const status = random.pick(["CONFIRMED", "FAILED", "UNKNOWN"] as const);
      return {
        how: status,
        predict: (run) => rules.complete(run, key, status, response),
        send: async (tape, options) =>
          seen(await tape.completeEffect({ ...at, status, responseJson: response }, options)),
      };
    },
    reconcile: () => {
      const resolvedStatus = random.pick(["CONFIRMED", "FAILED"] as const);
      return {
        how: resolvedStatus,
        predict: (run) => rules.reconcile(run, key, resolvedStatus, response),
        send: async (tape, options) =>
          seen(await tape.reconcileEffect({ ...at, resolvedStatus, responseJson: response }, options)),
      };
    },
    observe: () => {
      const resolution = random.pick(["CONFIRMED", "FAILED", "ABSENT", "DUPLICATE", "STUCK"] as const);
      return {
        how: resolution,
        predict: (run) => rules.observe(run, key, resolution, response),
        send: async (tape, options) =>
          seen(
            await tape.recordExternalObservation(
              { ...at, resolution, responseJson: response, compensateOnDuplicateKind: "refund" },
              options,
            ),
          ),
      };
    },
    claim: () => ({
      predict: (run) => rules.claim(run, key, claimer),
      send: async (tape, options) => {
        const { acquired, effect } = await tape.claimEffectDispatch({ ...at, claimer }, options);
        return { acquired, ...seen(effect) };
      },
    }),
    attempt: () => {
      const again = random.chance(0.6);
      return {
        how: again,
        predict: (run) => rules.attempt(run, key, named, again),
        send: async (tape, options) =>
          seen(
            await tape.recordDispatchAttempt(
              { ...at, error: "busy", nextDispatchAtMs: again ? 1 : 0 },
              { ...options, claimer: named || undefined },
            ),
          ),
      };
    },
    promise: () => ({
      predict: (run) => rules.promise(run, key, 2),
      send: async (tape, options) => ({
        obligation: (await tape.registerCompensation({ runId, effectKey: key, kind: "undo", maxAttempts: 2 }, options))
          .status,
      }),
    }),
    claimObligation: () => ({
      predict: (run) => rules.claimObligation(run, due, claimer),
      send: async (tape, options) => {
        const answer = await tape.claimObligation({ ...obligation, claimer }, options);
        return { acquired: answer.acquired, obligation: answer.obligation.status };
      },
    }),
    work: () => {
      const outcome = random.pick(["COMPENSATED", "COMPENSATED", "STUCK", "again", "never"] as const);
      return {
        how: outcome,
        predict: (run) => rules.work(run, due, named, outcome),
        send: async (tape, options) => {
          const holder = { ...options, claimer: named || undefined };
          const record =
            outcome === "COMPENSATED" || outcome === "STUCK"
              ? await tape.resolveObligation({ ...obligation, status: outcome }, holder)
              : await tape.recordObligationAttempt(
                  { ...obligation, error: "busy", nextAttemptAtMs: outcome === "again" ? 1 : 0 },
                  holder,
                );
          return { obligation: record.status };
        },
      };
    },
    wait: () => ({
      predict: (run) => rules.wait(run, gateName, occurrence),
      send: async (tape, options) => {
        const answer = await tape.awaitSignal({ runId, gateName }, { ...options, gateOccurrence: occurrence });
        return { delivered: answer.delivered, resolution: answer.resolutionJson };
      },
    }),
    send: () => ({
      predict: (run) => rules.send(run, gateName, response),
      send: async (tape, options) => {
        const answer = await tape.sendSignal({ runId, gateName, resolutionJson: response }, options);
        return { accepted: answer.accepted, status: answer.runStatus };
      },
    }),
    charge: () => ({
      predict: (run) => rules.charge(run, micros, tokens),
      send: async (tape, options) => {
        const budget = await tape.chargeBudget({ runId, usd: micros / 1e6, tokens }, options);
        return { micros: asMicros(budget.usdSpent), tokens: budget.tokensSpent };
      },
    }),
    cap: () => ({
      predict: (run) => rules.cap(run, micros * 5, tokens * 5),
      send: async (tape, options) => {
        const budget = await tape.setBudget({ runId, usdCap: (micros * 5) / 1e6, tokenCap: tokens * 5 }, options);
        return { micros: asMicros(budget.usdSpent), tokens: budget.tokensSpent };
      },
    }),
    compact: () => ({
      predict: (run) => rules.compact(run),
      send: async (tape, options) => {
        const done = await tape.compactRun({ runId }, options);
        const { alreadyCompacted, decisionsZeroed: decisions, effectsZeroed: effects } = done;
        return { alreadyCompacted, decisions, effects };
      },
    }),
    admit: () => ({
      predict: (run) => rules.admit(run, micros, tokens),
      send: async (tape) => ({
        admitted: (await tape.admitBudget({ runId, usdEstimate: micros / 1e6, tokenEstimate: tokens })).admitted,
      }),
    }),
  };
  // What leads somewhere comes more often than what mostly ends it.
  const often =
    "begin end claim claim complete observe observe promise claimObligation claimObligation work work work resume resume wait send compact";
  const name = first === undefined ? random.pick(random.chance(0.75) ? often.split(" ") : Object.keys(steps)) : "begin";
  const made = steps[name]?.();
  assert.ok(made);
  return {
    ...made,
    text: `${name} ${JSON.stringify(made.how ?? "")} ${key} ${owner} ${claimer}/${named || "-"} ${due} ${gateName}#${occurrence} ${response}`,
  };
}
