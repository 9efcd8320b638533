import assert from "node:assert/strict";
import { part, refused, upTo } from "./assertions.ts";
import { agent } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";
import { runWrites } from "./run-writes.ts";

const session = { appName: "app", userId: "user", sessionId: "s" };

/** R3: a call whose answer was lost can be sent again. */
export const idempotentCases: readonly TapeCase[] = [
  ...runWrites.map((write) =>
    rule("R3", `${write.call} sent again gives the recorded answer and writes nothing`, async (t) => {
      const { runId, send } = await write.arrange(t);
      const options = write.byRequestId ? { requestId: t.name("request") } : {};
      const first = await send(t.tape, options);
      const again = await t.unchanged(runId, async () => [
        await send(t.tape, options),
        await send(await t.other(), options),
      ]);
      assert.deepEqual(again, [first, first]);
    }),
  ),
  ...runWrites.map((write) =>
    rule("R3", `${write.call} sent twice at the same time writes what it writes once`, async (t) => {
      const alone = await write.arrange(t);
      await alone.send(t.tape);
      const twice = await write.arrange(t);
      const options = { requestId: t.name("request") };
      const answers = await Promise.all([twice.send(t.tape, options), twice.send(await t.other(), options)]);
      assert.deepEqual(answers[0], answers[1]);
      assert.deepEqual(await t.verbs(twice.runId), await t.verbs(alone.runId));
    }),
  ),

  rule("R3", "BeginRun sent again by its owner gives the same run, lease and epoch", async (t) => {
    const request = { appName: "app", invocationId: "once", leaseOwner: agent };
    const first = await t.tape.beginRun(request);
    const again = await t.unchanged(first.runId, () => t.tape.beginRun(request));
    assert.deepEqual(again, { ...first, resumed: true });
  }),
  rule("R3", "ResumeRun sent again by its owner gives the same lease and epoch", async (t) => {
    const runId = await t.waiting("gate");
    const first = await t.tape.resumeRun({ runId, leaseOwner: agent });
    const again = await t.unchanged(runId, () => t.tape.resumeRun({ runId, leaseOwner: agent }));
    assert.deepEqual(again, first);
  }),

  rule("R3", "WriteValue and DeleteValue with a request id seen before change nothing", async (t) => {
    const place = { namespace: "n", key: "k" };
    const write = { ...place, valueJson: "1", writer: "w", ifVersion: -1 };
    const first = await t.tape.writeValue(write, { requestId: "a" });
    assert.deepEqual(await t.tape.writeValue(write, { requestId: "a" }), first);
    const guarded = { ...place, valueJson: "2", ifVersion: 1 };
    const second = await t.tape.writeValue(guarded, { requestId: "b" });
    assert.equal(second.version, 2);
    assert.deepEqual(await t.tape.writeValue(guarded, { requestId: "b" }), second);
    const gone = await t.tape.deleteValue(place, { requestId: "c" });
    assert.equal(gone.version, 3);
    assert.equal((await t.tape.deleteValue(place, { requestId: "c" })).version, 3);
    assert.equal((await t.tape.writeValue(write)).version, 4);
  }),
  rule("R3", "a conditional WriteValue sent again without a request id writes no second version", async (t) => {
    const write = { namespace: "n", key: "k", valueJson: "1", ifVersion: 0 };
    await t.tape.writeValue(write);
    await refused(t.tape.writeValue(write), "VERSION_MISMATCH", { current_version: "1" });
    assert.equal((await t.tape.getValue(write)).value?.version, 1);
  }),
  rule("R3", "CreateSession with a request id seen before returns the session that it made", async (t) => {
    const request = { ...session, stateJson: '{"a":1}' };
    const first = await t.tape.createSession(request, { requestId: "a" });
    assert.deepEqual(await t.tape.createSession(request, { requestId: "a" }), first);
    await refused(t.tape.createSession(request, { requestId: "b" }), "SESSION_EXISTS");
  }),
  rule("R3", "AppendEvent with an event id seen before is that event, and changes no state", async (t) => {
    await t.tape.createSession(session);
    const append = (id: string, value: number) =>
      t.tape.appendEvent({
        ...session,
        event: { id },
        stateDeltaJson: `{"a":${value},"user:a":${value},"app:a":${value}}`,
      });
    const first = await append("e1", 1);
    await t.clock.advance(10);
    await append("e2", 2);
    assert.deepEqual(part(await append("e1", 1), "event"), part(first, "event"));
    const found = (await t.tape.getSession(session)).session;
    assert.deepEqual(JSON.parse(found?.stateJson ?? ""), { a: 2, "user:a": 2, "app:a": 2 });
    assert.deepEqual(
      found?.events.map((event) => event.id),
      ["e1", "e2"],
    );
  }),

  ...(["ABSENT", "STUCK"] as const).map((resolution) =>
    rule("R3", `an observation (${resolution}) sent again writes no second entry`, async (t) => {
      const runId = await t.run();
      const observation = { runId, idempotencyKey: await t.outbox(runId), resolution, externalRef: "ref" };
      const observe = () => t.tape.recordExternalObservation(observation, { requestId: "request" });
      const first = await observe();
      assert.deepEqual(await t.unchanged(runId, observe), first);
    }),
  ),

  rule("R3", "the last 64 request ids of a row are remembered", async (t) => {
    const runId = await t.run();
    const charge = (index: number) => t.tape.chargeBudget({ runId, tokens: 1 }, { requestId: `request-${index}` });
    for (const index of upTo(64)) await charge(index);
    const all = await t.unchanged(runId, () => Promise.all(upTo(64).map(charge)));
    assert.deepEqual(new Set(all.map((budget) => budget.tokensSpent)), new Set([64]));
  }),
  rule(
    "R3",
    "DeleteSession sent again takes nothing away that was created since, and CreateSession brings nothing back",
    async (t) => {
      const create = { requestId: t.name("create") };
      const remove = { requestId: t.name("delete") };
      await t.tape.createSession(session, create);
      assert.deepEqual(await t.tape.deleteSession(session, remove), { deleted: true });
      await refused(t.tape.createSession(session, create), "SESSION_NOT_FOUND");
      assert.equal((await t.tape.getSession(session)).found, false);
      await t.tape.createSession(session);
      assert.deepEqual(await t.tape.deleteSession(session, remove), { deleted: true });
      assert.equal((await t.tape.getSession(session)).found, true);
      assert.deepEqual(await t.tape.deleteSession(session), { deleted: true });
    },
  ),
  rule("R3", "a repeat of a request id answers from the row as it is now", async (t) => {
    const runId = await t.run();
    await t.tape.chargeBudget({ runId, tokens: 1 }, { requestId: "first" });
    await t.tape.chargeBudget({ runId, tokens: 10 });
    const repeat = await t.tape.chargeBudget({ runId, tokens: 1 }, { requestId: "first" });
    assert.equal(repeat.tokensSpent, 11);
  }),
  rule("R3", "one request id may be used by calls of several kinds", async (t) => {
    const runId = await t.waiting("gate");
    const options = { requestId: "same" };
    assert.equal((await t.tape.chargeBudget({ runId, tokens: 1 }, options)).tokensSpent, 1);
    const sent = await t.tape.sendSignal({ runId, gateName: "gate", resolutionJson: "1" }, options);
    assert.deepEqual(sent, { accepted: true, runId, runStatus: "RUNNABLE" });
    await t.tape.endRun({ runId, status: "TERMINAL" }, options);
    assert.equal((await t.get(runId)).status, "TERMINAL");
  }),
  rule("R3", "a request id is one row's own, and survives reopening", async (t) => {
    const [one, two] = [await t.run(), await t.run()];
    await t.tape.chargeBudget({ runId: one, tokens: 1 }, { requestId: "same" });
    await t.tape.chargeBudget({ runId: two, tokens: 1 }, { requestId: "same" });
    await t.reopen();
    for (const runId of [one, two]) {
      const { tokensSpent } = await t.tape.chargeBudget({ runId, tokens: 1 }, { requestId: "same" });
      assert.equal(tokensSpent, 1);
    }
  }),
  rule("R3", "calls without a natural key and without a request id act every time", async (t) => {
    const runId = await t.run();
    await t.tape.chargeBudget({ runId, tokens: 1 });
    assert.equal((await t.tape.chargeBudget({ runId, tokens: 1 })).tokensSpent, 2);
    const place = { namespace: "n", key: "k", valueJson: "1", ifVersion: -1 };
    await t.tape.writeValue(place);
    assert.equal((await t.tape.writeValue(place)).version, 2);
  }),
  rule("R3", "a request id holds at most 128 bytes", async (t) => {
    const runId = await t.run();
    const charge = (requestId: string) => t.tape.chargeBudget({ runId, tokens: 1 }, { requestId });
    assert.equal((await charge("x".repeat(128))).tokensSpent, 1);
    await t.unchanged(runId, () => refused(charge("x".repeat(129)), "SIZE_LIMIT"));
  }),
];
