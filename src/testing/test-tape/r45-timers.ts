import assert from "node:assert/strict";
import { part, refused, refusedAs, upTo } from "./assertions.ts";
import { agent, farFuture, type Scene } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

async function dueIds(t: Scene, request: { claim?: boolean; nowMs?: number; limit?: number } = {}): Promise<string[]> {
  return (await t.tape.listDueTimers(request)).timers.map((timer) => timer.timerId);
}

/** R45 and R46: timers. */
export const timerCases: readonly TapeCase[] = [
  rule("R45", "a timer is recorded as it was set and is due at its time", async (t) => {
    const runId = await t.run();
    const request = { runId, timerId: "t", fireAtMs: t.clock.now() + 500, kind: "wake", payloadJson: '{"x":1}' };
    const record = { ...request, fired: false, createdAtMs: t.clock.now() };
    assert.deepEqual(await t.tape.setTimer(request), record);
    await t.clock.advance(499);
    assert.deepEqual(await dueIds(t), []);
    await t.clock.advance(1);
    assert.deepEqual((await t.tape.listDueTimers()).timers, [record]);
  }),
  rule("R45", "the same id with the same time changes nothing, also after it fired", async (t) => {
    const runId = await t.run();
    const timer = { runId, timerId: "t", fireAtMs: t.clock.now() + 5, kind: "wake", payloadJson: "1" };
    const first = await t.tape.setTimer(timer);
    await t.clock.advance(2);
    assert.deepEqual(await t.unchanged(runId, () => t.tape.setTimer(timer)), first);
    assert.deepEqual(await t.unchanged(runId, () => t.tape.setTimer({ ...timer, payloadJson: "2" })), first);
    await t.clock.advance(5);
    assert.deepEqual(await dueIds(t, { claim: true }), ["t"]);
    assert.deepEqual(await t.unchanged(runId, () => t.tape.setTimer(timer)), { ...first, fired: true });
    assert.deepEqual(await dueIds(t), []);
  }),
  rule("R45", "another time moves an unfired timer, and is refused on a fired one", async (t) => {
    const runId = await t.run();
    const set = (fireAtMs: number) => t.tape.setTimer({ runId, timerId: "t", fireAtMs, kind: "wake" });
    const now = t.clock.now();
    await set(now + 5);
    assert.equal((await set(now + 1000)).fireAtMs, now + 1000);
    await t.clock.advance(10);
    assert.deepEqual(await dueIds(t), []);
    await set(now + 3);
    assert.deepEqual(await dueIds(t, { claim: true }), ["t"]);
    await t.unchanged(runId, () => refusedAs(set(now + 99), "FAILED_PRECONDITION"));
  }),
  rule("R45", "a timer without an id gets one, from the request id or by chance", async (t) => {
    const runId = await t.run();
    const set = (requestId?: string) => t.tape.setTimer({ runId, fireAtMs: farFuture, kind: "wake" }, { requestId });
    const [one, again, other] = [await set("request-1"), await set("request-1"), await set("request-2")];
    assert.deepEqual(again, one);
    const ids = [one.timerId, other.timerId, (await set()).timerId, (await set()).timerId];
    assert.equal(new Set(ids).size, 4);
    assert.ok(!ids.includes(""));
    assert.deepEqual((await dueIds(t, { nowMs: farFuture })).toSorted(), ids.toSorted());
  }),
  rule("R45", "a cancelled timer does not fire; a fired or unknown one cannot be cancelled", async (t) => {
    const runId = await t.run();
    for (const timerId of ["one", "two"])
      await t.tape.setTimer({ runId, timerId, fireAtMs: t.clock.now(), kind: "wake" });
    const cancel = (timerId: string) => t.tape.cancelTimer({ runId, timerId });
    assert.deepEqual(await cancel("one"), { cancelled: true });
    assert.deepEqual(
      await t.unchanged(runId, () => cancel("one")),
      { cancelled: true },
      "said again, it is answered as before",
    );
    assert.deepEqual(await dueIds(t, { claim: true }), ["two"]);
    for (const timerId of ["two", "never"]) {
      assert.deepEqual(await t.unchanged(runId, () => cancel(timerId)), { cancelled: false });
    }
    assert.deepEqual(await t.verbs(runId, "timer"), ["timer/set", "timer/set", "timer/cancelled", "timer/fired"]);
  }),

  rule("R45", "a cancelled id can be set anew", async (t) => {
    const runId = await t.run();
    const set = () => t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now(), kind: "wake" });
    await set();
    await t.tape.cancelTimer({ runId, timerId: "t" });
    assert.deepEqual(await dueIds(t), []);
    assert.equal((await set()).fired, false);
    assert.deepEqual(await dueIds(t, { claim: true }), ["t"]);
  }),

  rule("R46", "lists due timers oldest first, as many as asked; listing takes nothing", async (t) => {
    const runIds = [await t.run(), await t.run()];
    for (const [index, after] of [30, 10, 40, 20].entries()) {
      await t.tape.setTimer({
        runId: runIds[index % 2] ?? "",
        timerId: `after-${after}`,
        fireAtMs: t.clock.now() + after,
        kind: "wake",
      });
    }
    await t.clock.advance(35);
    assert.deepEqual(await dueIds(t), ["after-10", "after-20", "after-30"]);
    assert.deepEqual(await dueIds(t, { limit: 2 }), ["after-10", "after-20"]);
    assert.deepEqual(await dueIds(t), ["after-10", "after-20", "after-30"]);
  }),
  rule("R46", "claiming hands each timer to one caller and says that it fired", async (t) => {
    const runId = await t.run();
    for (const index of upTo(3))
      await t.tape.setTimer({
        runId,
        timerId: `t${index}`,
        fireAtMs: t.clock.now(),
        kind: "wake",
        payloadJson: `${index}`,
      });
    const { timers } = await t.tape.listDueTimers({ claim: true, limit: 2 });
    assert.deepEqual(
      timers.map((timer) => part(timer, "timerId", "payloadJson", "fired")),
      upTo(2).map((index) => ({ timerId: `t${index}`, payloadJson: `${index}`, fired: true })),
    );
    assert.deepEqual(await dueIds(t, { claim: true }), ["t2"]);
    assert.deepEqual(await dueIds(t, { claim: true }), []);
    assert.equal((await t.verbs(runId)).filter((verb) => verb === "timer/fired").length, 3);
  }),
  rule("R46", "timers of other kinds wait for whoever takes them", async (t) => {
    const runId = await t.run();
    await t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now() + 10, kind: "remind" });
    for (const _ of upTo(10)) await t.clock.advance(1000);
    assert.deepEqual(await t.verbs(runId, "timer"), ["timer/set"]);
    assert.deepEqual(await dueIds(t, { claim: true }), ["t"]);
  }),

  ...(["whoever takes it", "the server by itself"] as const).flatMap((who) => [
    rule("R46", `gate_timeout answers an open gate with its resolution and timed_out, fired by ${who}`, async (t) => {
      const runId = await t.run();
      const payloadJson = JSON.stringify({ gate: "g", resolution: { approved: false, by: "nobody" } });
      await t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now() + 10, kind: "gate_timeout", payloadJson });
      await t.tape.awaitSignal({ runId, gateName: "g" });
      await fire(t, who, async () => (await t.get(runId)).status === "RUNNABLE");
      assert.deepEqual((await t.verbs(runId)).filter((verb) => /fired|released/.test(verb)).toSorted(), [
        "gate/released",
        "timer/fired",
      ]);
      await t.tape.resumeRun({ runId, leaseOwner: agent });
      const { delivered, resolutionJson } = await t.tape.awaitSignal({ runId, gateName: "g" });
      assert.deepEqual(
        [delivered, JSON.parse(resolutionJson)],
        [true, { approved: false, by: "nobody", timed_out: true }],
      );
    }),
    rule("R46", `gate_timeout leaves a gate alone that has its answer, fired by ${who}`, async (t) => {
      const runId = await t.waiting("g");
      const payloadJson = JSON.stringify({ gate: "g", resolution: {} });
      await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: '"yes"' });
      await t.tape.resumeRun({ runId, leaseOwner: agent });
      await t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now() + 10, kind: "gate_timeout", payloadJson });
      await fire(t, who, async () => (await t.verbs(runId, "timer")).includes("timer/fired"));
      assert.equal((await t.tape.awaitSignal({ runId, gateName: "g" })).resolutionJson, '"yes"');
      assert.equal((await t.get(runId)).status, "RUNNING");
    }),
    rule("R46", `redrive makes a waiting run RUNNABLE, fired by ${who}`, async (t) => {
      const runId = await t.run();
      await t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now() + 10, kind: "redrive" });
      await t.tape.awaitSignal({ runId, gateName: "g" });
      await fire(t, who, async () => (await t.get(runId)).status === "RUNNABLE");
      assert.deepEqual(
        (await t.tape.listRunsToRecover()).runs.map((run) => run.runId),
        [runId],
      );
      await t.tape.resumeRun({ runId, leaseOwner: agent });
      assert.equal(
        (await t.tape.awaitSignal({ runId, gateName: "g" })).delivered,
        false,
        "the gate still has no answer",
      );
    }),
  ]),
  rule("R46", "gate_timeout ends the occurrence that it names, and no other", async (t) => {
    const runId = await t.run();
    const set = (occurrence: number) =>
      t.tape.setTimer({
        runId,
        timerId: `of-${occurrence}`,
        fireAtMs: t.clock.now(),
        kind: "gate_timeout",
        payloadJson: JSON.stringify({ gate: "g", resolution: { occurrence }, occurrence }),
      });
    await set(1);
    const wait = (gateOccurrence: number) => t.tape.awaitSignal({ runId, gateName: "g" }, { gateOccurrence });
    await wait(1);
    await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: '"in time"' });
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    await wait(2);
    await dueIds(t, { claim: true });
    assert.equal((await t.get(runId)).status, "WAITING");
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    await set(2);
    await wait(2);
    await dueIds(t, { claim: true });
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    assert.deepEqual(JSON.parse((await wait(2)).resolutionJson), { occurrence: 2, timed_out: true });
    assert.equal((await wait(1)).resolutionJson, '"in time"');
  }),
  rule("R46", "a resolution of gate_timeout that is no object is put into one", async (t) => {
    for (const resolution of ["no", 7, null, ["no"]]) {
      const runId = await t.waiting("g");
      await t.tape.resumeRun({ runId, leaseOwner: agent });
      const payloadJson = JSON.stringify({ gate: "g", resolution });
      await t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now(), kind: "gate_timeout", payloadJson });
      await t.tape.awaitSignal({ runId, gateName: "g" });
      await dueIds(t, { claim: true });
      const { resolutionJson } = await t.tape.awaitSignal({ runId, gateName: "g" });
      assert.deepEqual(JSON.parse(resolutionJson), { resolution, timed_out: true });
    }
  }),
  rule("R46", "redrive takes a RUNNING run from an owner that is gone, and from no other", async (t) => {
    const [gone, alive] = [await t.run({ leaseTtlMs: 1000 }), await t.run()];
    for (const runId of [gone, alive])
      await t.tape.setTimer({ runId, timerId: `of-${runId}`, fireAtMs: t.clock.now() + 1500, kind: "redrive" });
    await t.clock.advance(1500);
    // One call may come away with a part of what is due.
    await t.byItself(
      async () => (await dueIds(t, { claim: true, nowMs: t.clock.now() })).length === 0,
      "timers never end",
    );
    assert.deepEqual(part(await t.get(gone), "status", "leaseOwner"), { status: "RUNNABLE", leaseOwner: "" });
    assert.deepEqual(part(await t.get(alive), "status", "leaseOwner"), { status: "RUNNING", leaseOwner: agent });
  }),
  rule("R46", "the server leaves a built-in timer to others until one second after it is due", async (t) => {
    const runId = await t.waiting("g");
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    await t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now() + 10, kind: "redrive" });
    await t.clock.advance(1000);
    assert.deepEqual(await t.verbs(runId, "timer"), ["timer/set"]);
    assert.deepEqual(await dueIds(t), ["t"]);
  }),
  rule("R46", "a gate_timeout that cannot act is refused when it is set", async (t) => {
    const runId = await t.run();
    for (const payloadJson of ["", "{}", "[]", '{"gate":7}', '{"gate":""}']) {
      const set = () =>
        t.tape.setTimer({ runId, timerId: "t", fireAtMs: farFuture, kind: "gate_timeout", payloadJson });
      await t.unchanged(runId, () => refused(set, "ARGUMENT_INVALID"));
    }
  }),
  rule("R46", "timers survive reopening, those of ended runs are gone", async (t) => {
    const [living, ended] = [await t.run(), await t.run()];
    for (const runId of [living, ended])
      await t.tape.setTimer({ runId, timerId: `of-${runId}`, fireAtMs: t.clock.now() + 5, kind: "wake" });
    await t.tape.endRun({ runId: ended, status: "TERMINAL" });
    await t.clock.advance(10);
    await t.reopen();
    assert.deepEqual(await dueIds(t, { claim: true }), [`of-${living}`]);
  }),
];

async function fire(
  t: Scene,
  who: "whoever takes it" | "the server by itself",
  done: () => Promise<boolean>,
): Promise<void> {
  await t.clock.advance(10);
  if (who === "whoever takes it") {
    assert.deepEqual(await dueIds(t, { claim: true }), ["t"]);
    assert.ok(await done(), "the act belongs to the commit that marks the timer fired");
  } else {
    await t.byItself(done, "the timer did not fire by itself");
  }
}
