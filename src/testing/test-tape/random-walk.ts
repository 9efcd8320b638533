import assert from "node:assert/strict";
import { TapeError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { EffectRecord, EffectSemantics } from "../../model/effect.ts";
import type { Tape } from "../../model/tape.ts";
import { seededRandom, type Random } from "../random.ts";
import * as rules from "./run-model.ts";
import type { Prediction, RunModel } from "./run-model.ts";
import type { Scene } from "./scene.ts";

/** One call with what the rules say about it and what to compare of the answer. */
interface Step {
  /** The call as the log of a failed walk has it. */
  readonly text: string;
  readonly predict: (run: RunModel) => Prediction;
  readonly send: (tape: Tape, options: CallOptions) => Promise<object>;
}

const owners = ["ada", "bob"];
const claimers = ["carl", "dora"];
const gates = ["g1", "g2"];
const leaseMs = 20_000;
/** Keys of effects with what they are. */
const kinds: Readonly<Record<string, { readonly semantics: EffectSemantics; readonly outbox: boolean }>> = {
  inline: { semantics: "IDEMPOTENT", outbox: false },
  mail: { semantics: "IDEMPOTENT", outbox: true },
  look: { semantics: "OBSERVE_ONLY", outbox: true },
  wire: { semantics: "NON_IDEMPOTENT", outbox: true },
};

const seen = (effect: EffectRecord): object => ({ status: effect.status, response: effect.responseJson });
const asMicros = (usd: number): number => Math.round(usd * 1e6);

/** One random call on the run. */
function randomStep(random: Random, runId: string, seqs: ReadonlyMap<string, number>, first?: string): Step {
  const key = first ?? random.pick(Object.keys(kinds));
  const kind = kinds[key] ?? { semantics: "IDEMPOTENT", outbox: false };
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
      predict: (run) => rules.acquire(run, owner, leaseMs, true),
      send: async (tape, options) => {
        const { run, leaseEpoch } = await tape.resumeRun({ runId, leaseOwner: owner, leaseTtlMs: leaseMs }, options);
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
    admit: () => ({
      predict: (run) => rules.admit(run, micros, tokens),
      send: async (tape) => ({
        admitted: (await tape.admitBudget({ runId, usdEstimate: micros / 1e6, tokenEstimate: tokens })).admitted,
      }),
    }),
  };
  // What leads somewhere comes more often than what mostly ends it.
  const often =
    "begin end claim claim complete observe observe promise claimObligation claimObligation work work work resume resume wait send";
  const name = first === undefined ? random.pick(random.chance(0.75) ? often.split(" ") : Object.keys(steps)) : "begin";
  const made = steps[name]?.();
  assert.ok(made);
  return {
    ...made,
    text: `${name} ${JSON.stringify(made.how ?? "")} ${key} ${owner} ${claimer}/${named || "-"} ${due} ${gateName}#${occurrence} ${response}`,
  };
}

/** Everything that can be read of the run, as the model has it. */
function modelView(run: RunModel): object {
  const held = (each: { claimedBy: string; claimedUntil: number }): string =>
    each.claimedUntil > run.now ? each.claimedBy : "";
  return {
    status: run.status,
    owner: run.owner,
    leasedUntil: run.leasedUntil,
    waitingGate: run.waitingGate,
    micros: run.usdMicros,
    tokens: run.tokens,
    effects: Object.fromEntries(
      [...run.effects.values()].map((each) => [
        each.key,
        {
          status: each.status,
          response: each.response,
          attempts: each.attempts,
          claimedBy: each.status === "PENDING" ? held(each) : "",
        },
      ]),
    ),
    obligations: run.obligations.toReversed().map((each) => ({
      name: each.name,
      status: each.status,
      attempts: each.attempts,
      claimedBy: each.status === "COMMITTED" ? held(each) : "",
    })),
  };
}

async function realView(
  t: Scene,
  runId: string,
): Promise<{ readonly view: object; readonly seqs: ReadonlyMap<string, number> }> {
  const state = await t.get(runId);
  const now = t.clock.now();
  const effects: [string, object][] = [];
  for (const key of Object.keys(kinds)) {
    const { effect } = await t.tape.getEffect({ runId, idempotencyKey: key });
    if (effect === undefined) continue;
    const claimedBy =
      effect.status === "PENDING" && effect.dispatchClaimExpiresAtMs > now ? effect.dispatchClaimedBy : "";
    effects.push([key, { ...seen(effect), attempts: effect.dispatchAttempts, claimedBy }]);
  }
  const recorded = await t.obligationsOf(runId);
  const obligations = recorded.map((each) => ({
    name: `${each.effectKey} ${each.kind}`,
    status: each.status,
    attempts: each.attempts,
    claimedBy: each.status === "COMMITTED" && each.claimExpiresAtMs > now ? each.claimedBy : "",
  }));
  const { budget } = await t.tape.admitBudget({ runId });
  return {
    view: {
      status: state.status,
      owner: state.leaseOwner,
      leasedUntil: state.leaseExpiresAtMs,
      waitingGate: state.waitingOnGate,
      micros: asMicros(budget.usdSpent),
      tokens: budget.tokensSpent,
      effects: Object.fromEntries(effects),
      obligations,
    },
    seqs: new Map(obligations.map(({ name }, index) => [name, recorded[index]?.seq ?? 0])),
  };
}

/** Entries of the run, but for those that an expired claim may add at any moment (R25). */
async function entries(t: Scene, runId: string): Promise<number> {
  return (await t.verbs(runId)).filter((verb) => verb !== "effect/unknown").length;
}

/**
 * Makes random calls on one run, each followed by a comparison of everything that can be read with the model; now and
 * then time goes on, or everything is closed and opened again. A failure names the seed and the calls made so far.
 */
export async function randomWalk(t: Scene, seed: number, length: number): Promise<void> {
  const random = seededRandom(seed);
  const { runId, leaseEpoch } = await t.begin({ leaseOwner: "ada", leaseTtlMs: leaseMs });
  const run = rules.newRun(t.clock.now(), "ada", leaseEpoch, leaseMs);
  const log: string[] = [];
  let seqs: ReadonlyMap<string, number> = new Map();
  let written = await entries(t, runId);
  const begun = random.shuffle(Object.keys(kinds)).slice(random.int(2));
  try {
    // What the rules leave open is not asked, and another call is made instead.
    for (let made = 0, tried = 0; made < length && tried < length * 4; tried += 1) {
      const first = begun.pop();
      if (first === undefined && random.chance(0.1)) {
        const ms = random.pick([10, 999, 21_003, 61_007]) + random.int(50);
        log.push(`time goes on ${ms} ms`);
        rules.advance(run, ms);
        await t.clock.advance(ms);
      } else if (first === undefined && random.chance(0.02)) {
        log.push("reopen");
        await t.reopen();
      } else {
        const step = randomStep(random, runId, seqs, first);
        const fenceable = !/^(resume|admit)/.test(step.text);
        const stale = fenceable && run.epoch > leaseEpoch && random.chance(0.1);
        const prediction: Prediction = stale ? { kind: "refused", codes: ["ABORTED"] } : step.predict(run);
        if (prediction.kind === "skip") continue;
        log.push(stale ? `${step.text} with an old epoch` : step.text);
        const fenced = stale ? { leaseEpoch: run.epoch - 1 } : random.chance(0.3) ? { leaseEpoch: run.epoch } : {};
        written = await check(t, runId, step, prediction, fenceable ? fenced : {}, written);
      }
      const { view, seqs: now } = await realView(t, runId);
      seqs = now;
      assert.deepEqual(view, modelView(run));
      made += 1;
    }
  } catch (error) {
    throw new Error(`random walk with seed ${seed} failed after:\n${log.join("\n")}\n${String(error)}`, {
      cause: error,
    });
  }
}

/** Sends the call, compares its answer with the prediction; how many entries the run has then, of `before`. */
async function check(
  t: Scene,
  runId: string,
  step: Step,
  prediction: Prediction,
  options: CallOptions,
  before: number,
): Promise<number> {
  const [outcome] = await Promise.allSettled([step.send(t.tape, options)]);
  const after = await entries(t, runId);
  const grew = after > before;
  if (prediction.kind === "refused") {
    assert.ok(
      outcome.status === "rejected" && outcome.reason instanceof TapeError,
      `${prediction.codes.join(" or ")} expected`,
    );
    assert.ok(
      prediction.codes.includes(outcome.reason.code),
      `${prediction.codes.join(" or ")} expected, not ${outcome.reason.reason}`,
    );
    assert.equal(grew, false, "a refused call wrote an entry");
  } else if (prediction.kind === "answer") {
    if (outcome.status === "rejected") throw outcome.reason as Error;
    assert.deepEqual(outcome.value, prediction.fields);
    if (!prediction.writes) assert.equal(grew, false, "a call that changes nothing wrote an entry");
  }
  return after;
}
