import assert from "node:assert/strict";
import type { EffectRecord } from "../../model/effect.ts";
import { part, race, refused, upTo } from "./assertions.ts";
import { runIn, runSituations, type RunSituation } from "./run-states.ts";
import { dispatcher, type Scene } from "./scene.ts";
import { rule, tenantRule, type TapeCase } from "./tape-case.ts";

const decision = {
  decisionIndex: 0,
  model: "m-1",
  requestJson: '{"q":"secret"}',
  responseJson: '{"a":"secret"}',
  rationale: "because",
  policyVersion: "p-1",
};
const already = { decisionsZeroed: 0, effectsZeroed: 0, bytesSaved: 0, alreadyCompacted: true };

/** Situations of runs that may be compacted; in all others that exist it is refused. */
const ended: ReadonlySet<RunSituation> = new Set<RunSituation>(["TERMINAL", "FAILED", "CANCELLED"]);

/** A run with a payload of every kind, ended, and its effect. */
async function told(t: Scene): Promise<{ readonly runId: string; readonly key: string }> {
  const runId = await t.run();
  await t.tape.recordDecision({ runId, ...decision });
  const key = await t.effect(runId, { requestJson: '{"to":"secret"}', customKey: t.name("key") });
  await t.tape.completeEffect({
    runId,
    idempotencyKey: key,
    status: "FAILED",
    responseJson: '["secret"]',
    errorJson: '{"e":"secret"}',
  });
  await t.tape.registerCompensation({
    runId,
    effectKey: key,
    kind: "undo",
    payloadJson: '{"of":"secret"}',
    compensatorRef: "undoer",
    maxAttempts: 3,
  });
  await t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now() + 1, kind: "wake", payloadJson: '"secret"' });
  await t.tape.awaitSignal({ runId, gateName: "approval", payloadJson: '{"ask":"secret"}' });
  await t.tape.sendSignal({ runId, gateName: "approval", resolutionJson: '{"by":"secret"}' }, { requestId: "s-1" });
  await t.tape.endRun({ runId, status: "TERMINAL", detailJson: '{"why":"secret"}' });
  return { runId, key };
}

/** An effect without its payloads. */
const envelope = ({
  requestJson: _request,
  responseJson: _response,
  errorJson: _error,
  ...rest
}: EffectRecord): object => rest;
const noPayloads = { requestJson: "", responseJson: "", errorJson: "" };

/** The ids of runs that may be compacted. */
const listed = async (t: Scene, request?: { beforeMs?: number; limit?: number }): Promise<readonly string[]> =>
  (await t.tape.listCompactableRuns(request)).runs.map(({ runId }) => runId);

/** R75: compaction. */
export const compactionCases: readonly TapeCase[] = [
  rule("R75", "the texts of decisions go, what else is known of them stays", async (t) => {
    const { runId } = await told(t);
    const before = (await t.tape.getDecision({ runId, decisionIndex: 0 })).decision;
    assert.equal(before?.responseJson, decision.responseJson);
    await t.tape.compactRun({ runId });
    const { found, decision: after } = await t.tape.getDecision({ runId, decisionIndex: 0 });
    assert.deepEqual([found, after], [true, { ...before, requestJson: "", responseJson: "" }]);
  }),

  rule("R75", "the payloads of effects go, their outcome and all else stays", async (t) => {
    const { runId, key } = await told(t);
    const before = await t.effectOf(runId, key);
    assert.equal(before.requestJson, '{"to":"secret"}');
    await t.tape.compactRun({ runId });
    assert.deepEqual(await t.effectOf(runId, key), { ...envelope(before), ...noPayloads });
  }),

  rule("R75", "the payloads of obligations, gates and timers go, their terms and outcomes stay", async (t) => {
    const { runId } = await told(t);
    const [promised] = await t.obligationsOf(runId);
    assert.equal(promised?.payloadJson, '{"of":"secret"}');
    await t.tape.compactRun({ runId });
    await t.reopen();
    assert.deepEqual(await t.obligationsOf(runId), [{ ...promised, payloadJson: "" }]);
    const { delivered, resolutionJson } = await t.tape.awaitSignal({ runId, gateName: "approval" });
    assert.deepEqual([delivered, resolutionJson], [true, ""]);
  }),

  rule("R75", "it is told what went, and that a repeat finds nothing left", async (t) => {
    const { runId } = await told(t);
    const done = await t.tape.compactRun({ runId });
    assert.deepEqual(part(done, "decisionsZeroed", "effectsZeroed", "alreadyCompacted"), {
      decisionsZeroed: 1,
      effectsZeroed: 1,
      alreadyCompacted: false,
    });
    const ofDecision = decision.requestJson + decision.responseJson;
    const ofEffect = '{"to":"secret"}["secret"]{"e":"secret"}{"of":"secret"}';
    const ofOthers = '"secret"{"ask":"secret"}{"by":"secret"}{"why":"secret"}';
    assert.equal(done.bytesSaved, (ofDecision + ofEffect + ofOthers).length);
    await t.unchanged(runId, async () => assert.deepEqual(await t.tape.compactRun({ runId }), already));
    await t.reopen();
    assert.deepEqual(await t.tape.compactRun({ runId }), already);
  }),

  rule("R75", "the run and its journal stay as they were", async (t) => {
    const { runId } = await told(t);
    await t.unchanged(runId, () => t.tape.compactRun({ runId }));
  }),

  rule("R75", "large payloads go, also for servers that have read them", async (t) => {
    const runId = await t.run();
    const responseJson = JSON.stringify("x".repeat(200_000));
    for (const decisionIndex of upTo(3)) await t.tape.recordDecision({ runId, decisionIndex, responseJson });
    await t.tape.endRun({ runId, status: "FAILED" });
    const other = await t.other();
    const lengths = async (): Promise<readonly (number | undefined)[]> => {
      const all = await Promise.all(upTo(3).map((decisionIndex) => other.getDecision({ runId, decisionIndex })));
      return all.map(({ decision: found }) => found?.responseJson.length);
    };
    assert.deepEqual(await lengths(), [200_002, 200_002, 200_002]);
    assert.equal((await t.tape.compactRun({ runId })).bytesSaved, 3 * 200_002);
    assert.deepEqual(await lengths(), [0, 0, 0]);
  }),

  ...runSituations
    .filter((situation) => !ended.has(situation))
    .map((situation) =>
      rule("R75", `a run that is not over (${situation}) is not compacted`, async (t) => {
        const runId = await runIn(t, situation);
        if (situation === "absent") await refused(t.tape.compactRun({ runId }), "RUN_NOT_FOUND", { run_id: runId });
        else await t.unchanged(runId, () => refused(t.tape.compactRun({ runId }), "TRANSITION_NOT_ALLOWED"));
        assert.deepEqual(await listed(t), []);
      }),
    ),

  rule("R75", "a run with an UNKNOWN effect is not compacted before that is reconciled", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.unknown(runId);
    await t.tape.endRun({ runId, status: "FAILED" });
    assert.deepEqual(await listed(t), []);
    await t.unchanged(runId, () =>
      refused(t.tape.compactRun({ runId }), "EFFECTS_UNKNOWN", { run_id: runId, idempotency_keys: idempotencyKey }),
    );
    await t.tape.reconcileEffect({ runId, idempotencyKey, resolvedStatus: "CONFIRMED", responseJson: "[1]" });
    assert.deepEqual(await listed(t), [runId]);
    assert.equal((await t.tape.compactRun({ runId })).effectsZeroed, 1);
    assert.deepEqual(part(await t.effectOf(runId, idempotencyKey), "status", "responseJson"), {
      status: "CONFIRMED",
      responseJson: "",
    });
  }),

  ...(["outbox", "effect"] as const).map((kind) =>
    rule("R75", `a run with a PENDING effect (${kind}) is not compacted before that is settled`, async (t) => {
      const runId = await t.run();
      const idempotencyKey = await t[kind](runId);
      await t.tape.endRun({ runId, status: "CANCELLED" });
      assert.deepEqual(await listed(t), []);
      await t.unchanged(runId, () =>
        refused(t.tape.compactRun({ runId }), "TRANSITION_NOT_ALLOWED", { idempotency_key: idempotencyKey }),
      );
      await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
      assert.deepEqual(await listed(t), [runId]);
      assert.equal((await t.tape.compactRun({ runId })).alreadyCompacted, false);
    }),
  ),

  rule("R75", "a run with an obligation that is due is not compacted before that is resolved", async (t) => {
    const runId = await t.run();
    const obligationSeq = await t.duplicate(runId);
    await t.tape.endRun({ runId, status: "FAILED" });
    const isRefused = (): Promise<unknown> =>
      refused(t.tape.compactRun({ runId }), "TRANSITION_NOT_ALLOWED", { obligation_seq: String(obligationSeq) });
    await t.unchanged(runId, isRefused);
    await t.tape.claimObligation({ runId, obligationSeq, claimer: dispatcher });
    await isRefused();
    await t.tape.resolveObligation({ runId, obligationSeq, status: "STUCK" });
    await isRefused();
    assert.deepEqual(await listed(t), []);
    await t.tape.resolveObligation({ runId, obligationSeq, status: "COMPENSATED" });
    assert.deepEqual(await listed(t), [runId]);
    assert.equal((await t.tape.compactRun({ runId })).alreadyCompacted, false);
  }),

  rule(
    "R75",
    "a run that was ended with a promise that is STUCK is not compacted before that is resolved",
    async (t) => {
      const { runId, obligations } = await t.undone(1);
      const obligationSeq = obligations[0]?.seq ?? 0;
      await t.tape.resolveObligation({ runId, obligationSeq, status: "STUCK" });
      await t.tape.endRun({ runId, status: "CANCELLED" });
      const isRefused = (): Promise<unknown> =>
        refused(t.tape.compactRun({ runId }), "TRANSITION_NOT_ALLOWED", { obligation_seq: String(obligationSeq) });
      await t.unchanged(runId, isRefused);
      assert.deepEqual(await listed(t), []);
      await t.tape.resolveObligation({ runId, obligationSeq, status: "COMPENSATED" });
      assert.equal((await t.tape.compactRun({ runId })).alreadyCompacted, false);
    },
  ),

  rule("R75", "a replay finds its record, and what is gone cannot disagree", async (t) => {
    const { runId, key } = await told(t);
    await t.tape.compactRun({ runId });
    await t.unchanged(runId, async () => {
      for (const strict of [false, true]) {
        const replayed = await t.tape.recordDecision({ runId, ...decision, responseJson: "[0]" }, { strict });
        assert.deepEqual(part(replayed, "responseJson", "diverged"), { responseJson: "", diverged: false });
      }
      assert.equal((await t.tape.recordDecision({ runId, ...decision, model: "m-2" })).diverged, true);
      await refused(t.tape.recordDecision({ runId, decisionIndex: 1 }), "RUN_ENDED");
      const { toolName } = await t.effectOf(runId, key);
      const again = { runId, toolName, decisionIndex: 0, customKey: key, requestJson: "[0]" };
      const replayed = await t.tape.beginEffect(again, { strict: true });
      assert.deepEqual(part(replayed, "status", "responseJson", "diverged"), {
        status: "FAILED",
        responseJson: "",
        diverged: false,
      });
      assert.equal((await t.tape.beginEffect({ ...again, toolName: "other" })).diverged, true);
      const late = { runId, idempotencyKey: key, status: "CONFIRMED", responseJson: "[1]" } as const;
      assert.deepEqual(part(await t.tape.completeEffect(late), "status", "responseJson"), {
        status: "FAILED",
        responseJson: "",
      });
      await refused(t.tape.beginEffect({ runId, toolName: "fresh" }), "RUN_ENDED");
    });
  }),

  rule("R75", "what was said before is still known: the end, request ids, timers", async (t) => {
    const { runId } = await told(t);
    await t.tape.compactRun({ runId });
    await t.reopen();
    await t.unchanged(runId, async () => {
      const signal = { runId, gateName: "approval", resolutionJson: '{"by":"secret"}' };
      assert.equal((await t.tape.sendSignal(signal, { requestId: "s-1" })).accepted, true);
      assert.equal((await t.tape.endRun({ runId, status: "TERMINAL" })).run.status, "TERMINAL");
      await refused(t.tape.endRun({ runId, status: "FAILED" }), "TRANSITION_NOT_ALLOWED");
      assert.equal((await t.tape.cancelTimer({ runId, timerId: "t" })).cancelled, true);
    });
  }),

  rule("R75", "a business key stays with the effect of a compacted run", async (t) => {
    const businessKey = t.name("invoice");
    const runId = await t.run();
    const key = await t.outbox(runId, { businessKey });
    await t.tape.completeEffect({ runId, idempotencyKey: key, status: "CONFIRMED" });
    await t.tape.endRun({ runId, status: "TERMINAL" });
    await t.tape.compactRun({ runId });
    const other = await t.run();
    await refused(t.outbox(other, { businessKey }), "BUSINESS_KEY_USED");
  }),

  rule("R75", "of callers that compact one run at once, one does it", async (t) => {
    const { runId } = await told(t);
    const tapes = await Promise.all(upTo(4).map((n) => t.other(n % 3)));
    const { won, lost } = await race(tapes.map((tape) => () => tape.compactRun({ runId })));
    assert.deepEqual(lost, []);
    assert.equal(won.filter(({ alreadyCompacted }) => !alreadyCompacted).length, 1);
  }),

  rule("R75", "a promise made afterwards is compacted by the next call", async (t) => {
    const { runId, key } = await told(t);
    await t.tape.compactRun({ runId });
    assert.deepEqual(await listed(t), []);
    const promise = { runId, effectKey: key, kind: "later", payloadJson: "[123]", compensatorRef: "c" };
    await t.tape.registerCompensation(promise);
    assert.equal((await t.obligationsOf(runId))[0]?.payloadJson, "[123]");
    assert.deepEqual(await listed(t), [runId]);
    assert.deepEqual(await t.tape.compactRun({ runId }), {
      decisionsZeroed: 0,
      effectsZeroed: 0,
      bytesSaved: 5,
      alreadyCompacted: false,
    });
    const terms = (await t.obligationsOf(runId)).map((each) =>
      part(each, "compensatorRef", "maxAttempts", "payloadJson"),
    );
    assert.deepEqual(terms, [
      { compensatorRef: "c", maxAttempts: 5, payloadJson: "" },
      { compensatorRef: "undoer", maxAttempts: 3, payloadJson: "" },
    ]);
  }),

  rule("R75", "an epoch older than the run's is refused", async (t) => {
    const { runId, leaseEpoch } = await t.begin();
    await t.tape.endRun({ runId, status: "TERMINAL" });
    await refused(t.tape.compactRun({ runId }, { leaseEpoch: leaseEpoch - 1 }), "EPOCH_STALE");
    assert.equal((await t.tape.compactRun({ runId }, { leaseEpoch })).alreadyCompacted, false);
  }),

  rule("R75", "runs to compact are listed oldest first, those that ended before a time", async (t) => {
    const runs: string[] = [];
    const times: number[] = [];
    const begun = [await t.run(), await t.run(), await t.run()];
    for (const runId of begun.toReversed()) {
      await t.clock.advance(10);
      await t.tape.endRun({ runId, status: "TERMINAL" });
      runs.push(runId);
      times.push(t.clock.now());
    }
    assert.deepEqual(await listed(t), runs);
    assert.deepEqual(await listed(t, { limit: 2 }), runs.slice(0, 2));
    assert.deepEqual(await listed(t, { beforeMs: times[1] ?? 0 }), runs.slice(0, 1));
    assert.deepEqual(await listed(t, { beforeMs: (times[1] ?? 0) + 1 }), runs.slice(0, 2));
    const [first = ""] = runs;
    const { runs: found } = await t.tape.listCompactableRuns({ limit: 1 });
    assert.deepEqual(found, [await t.get(first)]);
    await t.tape.compactRun({ runId: first });
    assert.deepEqual(await listed(t), runs.slice(1));
  }),

  tenantRule("R75", "a tenant lists and compacts its own runs only", async (t, tapeFor) => {
    const { runId } = await told(t);
    const stranger = await tapeFor({ partition: "red", tenant: "red" });
    assert.deepEqual((await stranger.listCompactableRuns()).runs, []);
    await refused(stranger.compactRun({ runId }), "RUN_NOT_FOUND");
    assert.deepEqual(await listed(t), [runId]);
  }),
];
