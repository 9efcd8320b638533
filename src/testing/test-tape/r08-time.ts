import assert from "node:assert/strict";
import { rule, type TapeCase } from "./tape-case.ts";

/** R8: the server's clock, and what a wrong one may cost. */
export const timeCases: readonly TapeCase[] = [
  rule("R8", "records carry the server's clock in milliseconds", async (t) => {
    await t.clock.advance(1234);
    const now = t.clock.now();
    const runId = await t.run();
    const decision = await t.tape.recordDecision({ runId, decisionIndex: 0 });
    const idempotencyKey = await t.effect(runId);
    const value = await t.tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
    const timer = await t.tape.setTimer({ runId, timerId: "t", fireAtMs: now + 5, kind: "wake" });
    const { startedAtMs } = await t.get(runId);
    const { tsMs } = await t.effectOf(runId, idempotencyKey);
    assert.deepEqual([decision.tsMs, tsMs, value.tsMs, timer.createdAtMs, startedAtMs], [now, now, now, now, now]);
    for (const entry of await t.journal(runId)) assert.equal(entry.tsMs, now);
    await t.clock.advance(50);
    await t.tape.endRun({ runId, status: "TERMINAL" });
    assert.equal((await t.get(runId)).endedAtMs, now + 50);
  }),
  rule("R8", "now_ms of a list is its now; absent, 0 or negative it is the server's", async (t) => {
    const now = t.clock.now();
    const runId = await t.run({ leaseTtlMs: 10_000 });
    await t.tape.setTimer({ runId, timerId: "t", fireAtMs: now + 10_000, kind: "wake" });
    const idempotencyKey = await t.outbox(runId);
    await t.claim(runId, idempotencyKey);
    await t.tape.recordDispatchAttempt({ runId, idempotencyKey, error: "busy", nextDispatchAtMs: now + 10_000 });
    const counts = async (nowMs: number | undefined) => [
      (await t.tape.listDueTimers({ nowMs })).timers.length,
      (await t.tape.listEffectsToDispatch({ nowMs })).effects.length,
      (await t.tape.listRunsToRecover({ nowMs })).runs.length,
    ];
    for (const nowMs of [undefined, 0, -5, now]) assert.deepEqual(await counts(nowMs), [0, 0, 0], `now_ms ${nowMs}`);
    assert.deepEqual(await counts(now + 10_001), [1, 1, 1]);
    await t.clock.advance(10_001);
    for (const nowMs of [undefined, 0, -5]) assert.deepEqual(await counts(nowMs), [1, 1, 1], `now_ms ${nowMs}`);
    assert.deepEqual(await counts(now), [0, 0, 0]);
  }),
  rule("R8", "a clock that goes back loses nothing and breaks no order", async (t) => {
    const runId = await t.run();
    const first = await t.tape.recordDecision({ runId, decisionIndex: 0 });
    t.clock.jump(-60_000);
    const second = await t.tape.recordDecision({ runId, decisionIndex: 1 });
    assert.equal(second.seq, first.seq + 1);
    const idempotencyKey = await t.effect(runId);
    await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    const positions = (await t.journal(runId)).map((entry) => entry.globalSeq);
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    );
    t.clock.jump(60_000);
  }),
];
