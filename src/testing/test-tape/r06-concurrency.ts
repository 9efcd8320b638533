import assert from "node:assert/strict";
import type { Tape } from "../../model/tape.ts";
import { race, upTo, type Race } from "./assertions.ts";
import { dispatcher, farFuture, type Scene } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

const callers = 8;

/** The call made by several callers at once, half of them on another engine. */
async function contend<T>(
  t: Scene,
  call: (tape: Tape, caller: number) => Promise<T>,
  count = callers,
): Promise<Race<T>> {
  const other = await t.other();
  return race(upTo(count).map((caller) => () => call(caller % 2 === 0 ? t.tape : other, caller)));
}

/** Exactly one of the answers has the property. */
function one<T>(answers: readonly T[], has: (answer: T) => boolean): T {
  const having = answers.filter(has);
  assert.equal(having.length, 1, `exactly one caller wins, not ${having.length}`);
  return having[0] as T;
}

function reasons(outcome: Race<unknown>): string[] {
  return [...new Set(outcome.lost.map((error) => error.reason))];
}

/** R6: calls that race on one row behave as if one came wholly before the other. */
export const concurrencyCases: readonly TapeCase[] = [
  rule("R6", "of callers that begin one run at once, one gets the lease and one run exists", async (t) => {
    const outcome = await contend(t, (tape, caller) =>
      tape.beginRun({ appName: "app", invocationId: "same", leaseOwner: `owner-${caller}` }),
    );
    assert.equal(outcome.won.length, 1);
    assert.deepEqual(reasons(outcome), ["LEASE_HELD"]);
    assert.deepEqual(await t.verbs(outcome.won[0]?.runId ?? ""), ["run/running"]);
  }),
  rule("R6", "of callers that write one decision at once, one is recorded and all get it", async (t) => {
    const runId = await t.run();
    const { won } = await contend(t, (tape, caller) =>
      tape.recordDecision({ runId, decisionIndex: 0, responseJson: `${caller}` }),
    );
    assert.equal(won.length, callers);
    assert.equal(new Set(won.map((decision) => decision.responseJson)).size, 1);
    one(won, (decision) => !decision.diverged);
    assert.deepEqual(await t.verbs(runId, "decision"), ["decision/recorded"]);
  }),
  rule("R6", "of callers that settle one effect at once, one outcome is recorded and all get it", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.effect(runId);
    const { won } = await contend(t, (tape, caller) =>
      tape.completeEffect({
        runId,
        idempotencyKey,
        status: caller % 3 === 0 ? "FAILED" : "CONFIRMED",
        responseJson: `${caller}`,
      }),
    );
    assert.equal(won.length, callers);
    assert.equal(new Set(won.map((effect) => `${effect.status} ${effect.responseJson}`)).size, 1);
    assert.equal((await t.verbs(runId, "effect")).length, 2);
  }),
  rule("R6", "of callers that claim one effect at once, one wins", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.outbox(runId);
    const { won } = await contend(t, (tape, caller) =>
      tape.claimEffectDispatch({ runId, idempotencyKey, claimer: `claimer-${caller}` }),
    );
    const winner = one(won, (answer) => answer.acquired);
    assert.equal(new Set(won.map((answer) => answer.effect.dispatchClaimedBy)).size, 1);
    assert.equal((await t.effectOf(runId, idempotencyKey)).dispatchClaimedBy, winner.effect.dispatchClaimedBy);
    assert.deepEqual(await t.verbs(runId, "effect"), ["effect/pending", "effect/claimed"]);
  }),
  rule("R6", "of callers that claim one obligation at once, one wins", async (t) => {
    const { runId, obligations } = await t.undone(2);
    const obligationSeq = obligations[0]?.seq ?? 0;
    const { won } = await contend(t, (tape, caller) =>
      tape.claimObligation({ runId, obligationSeq, claimer: `claimer-${caller}` }),
    );
    one(won, (answer) => answer.acquired);
    assert.equal((await t.verbs(runId, "obligation")).filter((verb) => verb === "obligation/committed").length, 1);
  }),
  rule("R6", "of callers that use one business key at once in runs of their own, one wins", async (t) => {
    const runIds = await Promise.all(upTo(callers).map(() => t.run()));
    const outcome = await contend(t, (tape, caller) =>
      tape.beginEffect({ runId: runIds[caller] ?? "", toolName: "pay", connector: "bank", businessKey: "invoice-1" }),
    );
    assert.equal(outcome.won.length, 1);
    assert.deepEqual(reasons(outcome), ["BUSINESS_KEY_USED"]);
    const written = await Promise.all(runIds.map((runId) => t.verbs(runId, "effect")));
    assert.deepEqual(written.flat(), ["effect/pending"]);
  }),
  rule("R6", "of callers that write a value at one version, one wins", async (t) => {
    const place = { namespace: "n", key: "k" };
    const outcome = await contend(t, (tape, caller) =>
      tape.writeValue({ ...place, valueJson: `${caller}`, ifVersion: 0 }),
    );
    assert.equal(outcome.won.length, 1);
    assert.deepEqual(reasons(outcome), ["VERSION_MISMATCH"]);
    assert.deepEqual((await t.tape.getValue(place)).value, outcome.won[0]);
  }),
  rule("R6", "values written at once get versions without gap or repetition", async (t) => {
    const { won } = await contend(
      t,
      (tape, caller) => tape.writeValue({ namespace: "n", key: "k", valueJson: `${caller}`, ifVersion: -1 }),
      20,
    );
    assert.deepEqual(
      won.map((value) => value.version).toSorted((a, b) => a - b),
      upTo(20).map((index) => index + 1),
    );
  }),
  rule("R6", "charges made at once are all added", async (t) => {
    const runId = await t.run();
    const { won } = await contend(t, (tape) => tape.chargeBudget({ runId, usd: 0.1, tokens: 3 }), 20);
    assert.deepEqual(
      new Set(won.map((budget) => budget.tokensSpent)),
      new Set(upTo(20).map((index) => (index + 1) * 3)),
    );
    const { budget } = await t.tape.admitBudget({ runId });
    assert.deepEqual([budget.usdSpent, budget.tokensSpent], [2, 60]);
  }),
  rule("R6", "due timers that several take at once go to one each", async (t) => {
    const runId = await t.run();
    for (const index of upTo(6)) {
      await t.tape.setTimer({ runId, timerId: `t${index}`, fireAtMs: t.clock.now(), kind: "wake" });
    }
    const { won } = await contend(t, (tape) => tape.listDueTimers({ claim: true, limit: 2 }));
    // Who comes second to the oldest may go away with nothing; the rest is still there for the next.
    won.push(await t.tape.listDueTimers({ claim: true }));
    const taken = won.flatMap((answer) => answer.timers.map((timer) => timer.timerId));
    assert.deepEqual(
      taken.toSorted(),
      upTo(6).map((index) => `t${index}`),
    );
    assert.equal((await t.verbs(runId, "timer")).filter((verb) => verb === "timer/fired").length, 6);
  }),
  rule("R6", "a run that is ended while others write has every write before its end or none of it", async (t) => {
    const runId = await t.run();
    const other = await t.other();
    const outcome = await race<unknown>([
      ...upTo(10).map((index) => () => t.tape.beginEffect({ runId, toolName: `t${index}` })),
      () => other.endRun({ runId, status: "FAILED" }),
      ...upTo(10).map((index) => () => other.recordDecision({ runId, decisionIndex: index })),
    ]);
    assert.deepEqual(
      reasons(outcome).filter((reason) => reason !== "RUN_ENDED"),
      [],
    );
    const verbs = await t.verbs(runId);
    assert.equal(verbs.at(-1), "run/failed");
    assert.equal(verbs.length, outcome.won.length + 1);
  }),
  rule("R6", "a read sees every write acknowledged before it, through whichever engine", async (t) => {
    const runId = await t.run();
    const [writer, reader] = [await t.other(), t.tape];
    for (const index of upTo(5)) {
      await writer.recordDecision({ runId, decisionIndex: index, responseJson: `${index}` });
      assert.equal((await reader.getDecision({ runId, decisionIndex: index })).decision?.responseJson, `${index}`);
      const { idempotencyKey } = await reader.beginEffect({
        runId,
        toolName: `t${index}`,
        dispatchMode: "OUTBOX",
        connector: "bank",
      });
      assert.equal((await writer.getEffect({ runId, idempotencyKey })).effect?.status, "PENDING");
      await writer.claimEffectDispatch({ runId, idempotencyKey, claimer: dispatcher });
      assert.equal((await reader.getEffect({ runId, idempotencyKey })).effect?.dispatchClaimedBy, dispatcher);
      await reader.writeValue({ namespace: "n", key: "k", valueJson: `${index}`, ifVersion: -1 });
      assert.equal((await writer.getValue({ namespace: "n", key: "k" })).value?.version, index + 1);
      await reader.chargeBudget({ runId, tokens: 1 });
      assert.equal((await writer.admitBudget({ runId })).budget.tokensSpent, index + 1);
      await writer.setTimer({ runId, timerId: `t${index}`, fireAtMs: farFuture, kind: "wake" });
      assert.equal((await reader.listDueTimers({ nowMs: farFuture })).timers.length, index + 1);
    }
    await writer.endRun({ runId, status: "TERMINAL" });
    assert.equal((await reader.getRun({ runId })).status, "TERMINAL");
  }),
];
