import assert from "node:assert/strict";
import { TapeError } from "../../errors.ts";
import { seededRandom } from "../random.ts";
import { asMicros, randomStep, seen, walkEffects, walkLeaseMs } from "./random-step.ts";
import * as rules from "./run-model.ts";
import type { Prediction, RunModel } from "./run-model.ts";
import { verbOf, type Scene } from "./scene.ts";
import { follow } from "./stream.ts";

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
  for (const key of Object.keys(walkEffects)) {
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

/** How far the journal of the run has been read. */
interface Tally {
  readonly seq: number;
  /** Entries so far, but for those that an expired claim may add at any moment (R25). */
  readonly counted: number;
}

/** Reads on in the journal. */
async function readOn(t: Scene, runId: string, { seq, counted }: Tally): Promise<Tally> {
  const { seqCursor } = await t.get(runId);
  if (seqCursor === seq) return { seq, counted };
  const stream = follow((signal) => t.tape.subscribeRun({ runId, fromSeq: seq + 1 }, { signal }));
  const fresh = await stream.take(seqCursor - seq);
  await stream.leave();
  return { seq: seqCursor, counted: counted + fresh.filter((entry) => verbOf(entry) !== "effect/unknown").length };
}

/**
 * Makes random calls on one run, through one engine or another, each followed by a comparison of everything that can be read with the model; now and
 * then time goes on, or everything is closed and opened again. A failure names the seed and the calls made so far.
 */
export async function randomWalk(t: Scene, seed: number, length: number): Promise<void> {
  const random = seededRandom(seed);
  const { runId, leaseEpoch } = await t.begin({ leaseOwner: "ada", leaseTtlMs: walkLeaseMs });
  const run = rules.newRun(t.clock.now(), "ada", leaseEpoch, walkLeaseMs);
  const log: string[] = [];
  let seqs: ReadonlyMap<string, number> = new Map();
  let read = await readOn(t, runId, { seq: 0, counted: 0 });
  const begun = random.shuffle(Object.keys(walkEffects)).slice(random.int(2));
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
        const tape = random.chance(0.3) ? await t.other(1 + random.int(2)) : t.tape;
        const send = () => step.send(tape, fenceable ? fenced : {});
        read = await check(t, runId, send, prediction, read);
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

/** Sends the call, compares its answer with the prediction; how far the journal goes then. */
async function check(
  t: Scene,
  runId: string,
  send: () => Promise<object>,
  prediction: Prediction,
  before: Tally,
): Promise<Tally> {
  const [outcome] = await Promise.allSettled([send()]);
  const after = await readOn(t, runId, before);
  const grew = after.counted > before.counted;
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
