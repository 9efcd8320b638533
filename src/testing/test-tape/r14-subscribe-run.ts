import assert from "node:assert/strict";
import { refused, upTo } from "./assertions.ts";
import { verbOf, type Scene } from "./scene.ts";
import { follow, type Followed } from "./stream.ts";
import { rule, type TapeCase } from "./tape-case.ts";
import type { JournalEntry } from "../../model/run.ts";

function followRun(t: Scene, runId: string, fromSeq?: number, tape = t.tape): Followed<JournalEntry> {
  return follow((signal) => tape.subscribeRun({ runId, fromSeq }, { signal }));
}

/** A run that has ended after this many decisions. */
async function endedRun(t: Scene, decisions: number): Promise<string> {
  const runId = await t.run();
  await Promise.all(upTo(decisions).map((decisionIndex) => t.tape.recordDecision({ runId, decisionIndex })));
  await t.tape.endRun({ runId, status: "TERMINAL" });
  return runId;
}

const seqs = (entries: readonly JournalEntry[]): number[] => entries.map((entry) => entry.seq);

/** R14: following one run. */
export const subscribeRunCases: readonly TapeCase[] = [
  rule("R14", "gives every entry from from_seq on, in order, and ends when the run has ended", async (t) => {
    const runId = await endedRun(t, 5);
    for (const [fromSeq, first] of [
      [undefined, 1],
      [0, 1],
      [1, 1],
      [4, 4],
      [7, 7],
    ] as const) {
      const entries = await followRun(t, runId, fromSeq).rest();
      assert.deepEqual(
        seqs(entries),
        upTo(8 - first).map((index) => first + index),
        `from_seq ${fromSeq}`,
      );
    }
    assert.deepEqual(await followRun(t, runId, 8).rest(), []);
    assert.deepEqual(await followRun(t, runId, 100).rest(), []);
  }),
  rule("R14", "pushes entries as they are committed, through any engine, and ends after the last one", async (t) => {
    const runId = await t.run();
    const stream = followRun(t, runId, 2);
    for (const decisionIndex of upTo(4)) {
      const writer = decisionIndex % 2 === 0 ? t.tape : await t.other();
      const { seq } = await writer.recordDecision({ runId, decisionIndex });
      assert.equal((await stream.next()).seq, seq);
    }
    await (await t.other()).endRun({ runId, status: "CANCELLED" });
    assert.deepEqual((await stream.rest()).map(verbOf), ["run/cancelled"]);
  }),
  rule("R14", "waits for a from_seq that is still to come", async (t) => {
    const runId = await t.run();
    const stream = followRun(t, runId, 4);
    for (const decisionIndex of upTo(3)) await t.tape.recordDecision({ runId, decisionIndex });
    assert.equal((await stream.next()).seq, 4);
    await stream.leave();
  }),
  rule("R14", "does not end while a run is undone, and ends with it", async (t) => {
    const { runId, obligations } = await t.undone(1);
    const stream = followRun(t, runId);
    const due = { runId, obligationSeq: obligations[0]?.seq ?? 0 };
    await t.tape.claimObligation({ ...due, claimer: "c" });
    await t.tape.resolveObligation({ ...due, status: "COMPENSATED" });
    const verbs = (await stream.rest()).map(verbOf);
    assert.deepEqual(verbs, await t.verbs(runId));
    assert.deepEqual(verbs.slice(-3), ["obligation/committed", "obligation/compensated", "run/failed"]);
  }),
  rule("R14", "gives what was settled after the end, too", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.effect(runId);
    await t.tape.endRun({ runId, status: "TERMINAL" });
    await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    const verbs = (await followRun(t, runId).rest()).map(verbOf);
    assert.deepEqual(verbs, ["run/running", "effect/pending", "run/terminal", "effect/confirmed"]);
  }),
  rule("R14", "gives all entries once to a reader that is slower than the writers", async (t) => {
    const runId = await t.run();
    const stream = followRun(t, runId);
    await stream.next();
    await Promise.all(upTo(1500).map((index) => t.tape.chargeBudget({ runId, tokens: index })));
    await t.tape.endRun({ runId, status: "TERMINAL" });
    assert.deepEqual(
      seqs(await stream.rest()),
      upTo(1501).map((index) => index + 2),
    );
  }),
  rule("R14", "gives the same entries to every reader", async (t) => {
    const runId = await t.run();
    const readers = [followRun(t, runId), followRun(t, runId), followRun(t, runId, 1, await t.other())];
    await Promise.all(upTo(30).map((decisionIndex) => t.tape.recordDecision({ runId, decisionIndex })));
    await t.tape.endRun({ runId, status: "TERMINAL" });
    const [first, ...others] = await Promise.all(readers.map((reader) => reader.rest()));
    assert.equal(first?.length, 32);
    for (const other of others) assert.deepEqual(other, first);
  }),
  rule("R14", "a run that nobody began is RUN_NOT_FOUND, at any from_seq", async (t) => {
    for (const fromSeq of [0, 1, 50]) await refused(followRun(t, "r-nobody", fromSeq).next(), "RUN_NOT_FOUND");
  }),
  rule("R14", "a reader that leaves ends its stream at once, waiting or not, and others go on", async (t) => {
    const runId = await t.run();
    const [staying, waiting, unread] = [followRun(t, runId), followRun(t, runId), followRun(t, runId)];
    await waiting.next();
    const silent = waiting.next().catch(() => "left");
    await waiting.leave();
    assert.equal(await silent, "left");
    await unread.leave();
    await t.tape.recordDecision({ runId, decisionIndex: 0 });
    assert.deepEqual(seqs(await staying.take(2)), [1, 2]);
    await staying.leave();
  }),
  rule("R14", "a hundred readers that left keep nobody from anything", async (t) => {
    const runId = await t.run();
    const asleep = t.clock.sleeping;
    for (const _ of upTo(100)) {
      const stream = followRun(t, runId);
      await stream.next();
      await stream.leave();
    }
    await t.clock.settle();
    assert.ok(t.clock.sleeping <= asleep + 1, `${t.clock.sleeping} sleepers are left, there were ${asleep}`);
    await t.tape.endRun({ runId, status: "TERMINAL" });
    assert.equal((await followRun(t, runId).rest()).length, 2);
  }),
  rule("R14", "a signal that fires ends the loop that reads", async (t) => {
    const runId = await t.run();
    const controller = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const entry of t.tape.subscribeRun({ runId }, { signal: controller.signal })) {
        seen.push(entry.seq);
        controller.abort();
      }
    })();
    const [outcome] = await Promise.allSettled([reading]);
    if (outcome.status === "rejected") await refused(reading, "CANCELLED");
    assert.deepEqual(seen, [1]);
  }),
];
