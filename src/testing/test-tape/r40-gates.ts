import assert from "node:assert/strict";
import { part, race, refused, refusedAs, upTo } from "./assertions.ts";
import { agent } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

const nothing = { delivered: false, resolutionJson: "" };
const place = { appName: "app", userId: "user", sessionId: "session" };

/** R40 to R42: gates and signals. */
export const gateCases: readonly TapeCase[] = [
  rule("R40", "a wait makes the run WAITING without a lease, its signal makes it RUNNABLE", async (t) => {
    const runId = await t.run();
    assert.deepEqual(await t.tape.awaitSignal({ runId, gateName: "g", payloadJson: '"please"' }), nothing);
    assert.deepEqual(part(await t.get(runId), "status", "waitingOnGate", "leaseOwner", "leaseExpiresAtMs"), {
      status: "WAITING",
      waitingOnGate: "g",
      leaseOwner: "",
      leaseExpiresAtMs: 0,
    });
    const sent = await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: '"yes"' });
    assert.deepEqual(sent, { accepted: true, runId, runStatus: "RUNNABLE" });
    assert.deepEqual(part(await t.get(runId), "status", "waitingOnGate"), { status: "RUNNABLE", waitingOnGate: "" });
    assert.deepEqual((await t.verbs(runId)).slice(1), ["gate/waiting", "gate/released"]);
  }),
  rule("R40", "a wait that has its answer gives that answer for ever", async (t) => {
    const runId = await t.waiting("g");
    await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: '"yes"' });
    const answered = async () =>
      assert.deepEqual(await t.tape.awaitSignal({ runId, gateName: "g" }), {
        delivered: true,
        resolutionJson: '"yes"',
      });
    await t.unchanged(runId, answered);
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    await t.unchanged(runId, answered);
    await t.reopen();
    await answered();
    assert.equal((await t.get(runId)).status, "RUNNING");
  }),
  rule("R40", "occurrences of one gate are waits of their own, filled in order", async (t) => {
    const runId = await t.run();
    const wait = (gateOccurrence: number) => t.tape.awaitSignal({ runId, gateName: "g" }, { gateOccurrence });
    for (const occurrence of [1, 2, 3]) {
      assert.deepEqual(await wait(occurrence), nothing);
      const sent = await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: `${occurrence}` });
      assert.deepEqual(part(sent, "accepted", "runStatus"), { accepted: true, runStatus: "RUNNABLE" });
      await t.tape.resumeRun({ runId, leaseOwner: agent });
      assert.equal((await wait(occurrence)).resolutionJson, `${occurrence}`);
    }
    assert.deepEqual(
      (await Promise.all([1, 2, 3].map(wait))).map((answer) => answer.resolutionJson),
      ["1", "2", "3"],
    );
    assert.equal(
      (await t.tape.awaitSignal({ runId, gateName: "g" })).resolutionJson,
      "1",
      "absent, the occurrence is 1",
    );
  }),
  rule("R40", "a wait for the second occurrence takes the second signal", async (t) => {
    const runId = await t.run();
    assert.deepEqual(await t.tape.awaitSignal({ runId, gateName: "g" }, { gateOccurrence: 2 }), nothing);
    const first = await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: '"first"' });
    assert.deepEqual(part(first, "accepted", "runStatus"), { accepted: true, runStatus: "WAITING" });
    const second = await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: '"second"' });
    assert.deepEqual(part(second, "accepted", "runStatus"), { accepted: true, runStatus: "RUNNABLE" });
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    assert.equal(
      (await t.tape.awaitSignal({ runId, gateName: "g" }, { gateOccurrence: 2 })).resolutionJson,
      '"second"',
    );
    assert.equal((await t.tape.awaitSignal({ runId, gateName: "g" })).resolutionJson, '"first"');
  }),
  rule("R40", "a doubled answer is not the answer to the next wait", async (t) => {
    const runId = await t.waiting("g");
    const send = (value: number) => t.tape.sendSignal({ runId, gateName: "g", resolutionJson: `${value}` });
    assert.equal((await send(1)).accepted, true);
    assert.equal((await send(1)).accepted, false);
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    assert.deepEqual(await t.tape.awaitSignal({ runId, gateName: "g" }, { gateOccurrence: 2 }), nothing);
    assert.equal((await send(2)).accepted, true);
  }),
  rule("R40", "a run waits for one thing at a time", async (t) => {
    const runId = await t.waiting("g");
    await t.unchanged(runId, async () => {
      for (const [gateName, gateOccurrence] of [
        ["h", 1],
        ["g", 2],
      ] as const) {
        await refusedAs(() => t.tape.awaitSignal({ runId, gateName }, { gateOccurrence }), "FAILED_PRECONDITION");
      }
    });
  }),
  rule("R40", "an occurrence is counted from 1", async (t) => {
    const runId = await t.run();
    for (const gateOccurrence of [-1, 1.5]) {
      await t.unchanged(runId, () =>
        refused(t.tape.awaitSignal({ runId, gateName: "g" }, { gateOccurrence }), "ARGUMENT_INVALID"),
      );
    }
  }),
  rule("R40", "without occurrences a gate is single-use", async (t) => {
    const runId = await t.waiting("g");
    await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: "1" });
    const late = await t.unchanged(runId, () => t.tape.sendSignal({ runId, gateName: "g", resolutionJson: "2" }));
    assert.deepEqual(late, { accepted: false, runId, runStatus: "RUNNABLE" });
  }),
  rule("R40", "gates of one run are told apart by name", async (t) => {
    const runId = await t.waiting("one");
    const other = await t.tape.sendSignal({ runId, gateName: "two", resolutionJson: "2" });
    assert.deepEqual(part(other, "accepted", "runStatus"), { accepted: true, runStatus: "WAITING" });
    await t.tape.sendSignal({ runId, gateName: "one", resolutionJson: "1" });
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    assert.equal((await t.tape.awaitSignal({ runId, gateName: "two" })).resolutionJson, "2");
    assert.equal((await t.get(runId)).status, "RUNNING");
  }),

  rule("R41", "a signal sent before the wait is kept and found, also after reopening", async (t) => {
    const runId = await t.run();
    const sent = await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: '"early"' });
    assert.deepEqual(sent, { accepted: true, runId, runStatus: "RUNNING" });
    assert.equal((await t.tape.sendSignal({ runId, gateName: "g" })).accepted, false);
    await t.reopen();
    const answer = await t.tape.awaitSignal({ runId, gateName: "g" });
    assert.deepEqual(answer, { delivered: true, resolutionJson: '"early"' });
    assert.equal((await t.get(runId)).status, "RUNNING");
  }),
  rule("R41", "a wait and its signal at the same time never lose the wake-up", async (t) => {
    const other = await t.other();
    for (const round of upTo(12)) {
      const runId = await t.run();
      const [awaited] = await Promise.all([
        t.tape.awaitSignal({ runId, gateName: "g" }),
        ...upTo(round % 4).map(() => t.tape.getRun({ runId })),
        other.sendSignal({ runId, gateName: "g", resolutionJson: `${round}` }),
      ]);
      const { status } = await t.get(runId);
      assert.equal(status, awaited.delivered ? "RUNNING" : "RUNNABLE");
      await t.tape.resumeRun({ runId, leaseOwner: agent });
      assert.deepEqual(await t.tape.awaitSignal({ runId, gateName: "g" }), {
        delivered: true,
        resolutionJson: `${round}`,
      });
    }
  }),
  rule("R41", "of signals sent at the same time one is accepted", async (t) => {
    const runId = await t.waiting("g");
    const tapes = [t.tape, await t.other()];
    const { won } = await race(
      upTo(8).map(
        (index) => () => (tapes[index % 2] ?? t.tape).sendSignal({ runId, gateName: "g", resolutionJson: `${index}` }),
      ),
    );
    assert.equal(won.length, 8);
    assert.equal(won.filter((answer) => answer.accepted).length, 1);
    const accepted = won.findIndex((answer) => answer.accepted);
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    assert.equal((await t.tape.awaitSignal({ runId, gateName: "g" })).resolutionJson, `${accepted}`);
  }),

  rule("R42", "a signal to a session goes to its run that waits on the gate", async (t) => {
    const waiting = await t.waiting("g");
    await t.clock.advance(10);
    await t.waiting("another gate");
    await t.clock.advance(10);
    await t.run();
    await t.waiting("g", { sessionId: "another session" });
    const sent = await t.tape.sendSignal({ ...place, gateName: "g", resolutionJson: "1" });
    assert.deepEqual(sent, { accepted: true, runId: waiting, runStatus: "RUNNABLE" });
  }),
  rule("R42", "without such a run it goes to the newest live run of the session", async (t) => {
    const older = await t.run();
    await t.clock.advance(10);
    const newer = await t.run();
    await t.clock.advance(10);
    const ended = await t.run();
    await t.tape.endRun({ runId: ended, status: "TERMINAL" });
    await t.run({ sessionId: "another session" });
    const send = () => t.tape.sendSignal({ ...place, gateName: "g", resolutionJson: '"kept"' });
    assert.deepEqual(await send(), { accepted: true, runId: newer, runStatus: "RUNNING" });
    assert.equal((await t.tape.awaitSignal({ runId: newer, gateName: "g" })).resolutionJson, '"kept"');
    await t.tape.endRun({ runId: newer, status: "FAILED" });
    assert.equal((await send()).runId, older);
  }),
  rule("R42", "a session without a live run is RUN_NOT_FOUND, and so is one that nobody began", async (t) => {
    const runId = await t.run();
    await t.tape.endRun({ runId, status: "TERMINAL" });
    for (const session of [place, { ...place, sessionId: "nowhere" }, { ...place, userId: "nobody" }]) {
      await refused(t.tape.sendSignal({ ...session, gateName: "g" }), "RUN_NOT_FOUND");
    }
    await refused(t.tape.sendSignal({ gateName: "g" }), "ARGUMENT_INVALID");
  }),
  rule("R42", "a run that is named gets the signal, whatever session is named beside it", async (t) => {
    const [named] = [await t.run(), await t.run({ sessionId: "elsewhere" })];
    const sent = await t.tape.sendSignal({ ...place, sessionId: "elsewhere", runId: named, gateName: "g" });
    assert.equal(sent.runId, named);
  }),
];
