import assert from "node:assert/strict";
import { part, upTo } from "./assertions.ts";
import { follow } from "./stream.ts";
import { rule, type TapeCase } from "./tape-case.ts";
import { runWrites } from "./run-writes.ts";

/** R1 and R2: what was acknowledged is there, all of it. */
export const durableCases: readonly TapeCase[] = [
  ...runWrites.map((write) =>
    rule(
      "R1",
      `what ${write.call} acknowledged is there after reopening, and for another caller at once`,
      async (t) => {
        const { runId, send } = await write.arrange(t);
        const before = (await t.get(runId)).seqCursor;
        await send(t.tape);
        const state = await t.get(runId);
        const journal = await t.journal(runId);
        assert.deepEqual(await (await t.other()).getRun({ runId }), state);
        await t.reopen();
        assert.deepEqual(await t.get(runId), state);
        assert.deepEqual(await t.journal(runId), journal);
        assert.ok(write.call === "SetBudget" || state.seqCursor > before, "the call should have written an entry");
      },
    ),
  ),

  rule("R1", "payloads, values and sessions are there after reopening", async (t) => {
    const runId = await t.run();
    await t.tape.recordDecision({ runId, decisionIndex: 0, requestJson: "[1]", responseJson: "[2]" });
    await t.tape.setBudget({ runId, usdCap: 2 });
    await t.tape.chargeBudget({ runId, usd: 0.5 });
    await t.tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
    await t.tape.writeValue({ namespace: "n", key: "k", valueJson: "2", ifVersion: 1 });
    const session = { appName: "app", userId: "user", sessionId: "s" };
    await t.tape.createSession({ ...session, stateJson: '{"a":1,"user:b":2}' });
    await t.tape.appendEvent({ ...session, event: { id: "e", contentJson: '"hi"' }, stateDeltaJson: '{"app:c":3}' });
    await t.reopen();
    const { decision } = await t.tape.getDecision({ runId, decisionIndex: 0 });
    assert.deepEqual(part(decision, "requestJson", "responseJson"), { requestJson: "[1]", responseJson: "[2]" });
    const { budget } = await t.tape.admitBudget({ runId });
    assert.deepEqual(part(budget, "usdCap", "usdSpent"), { usdCap: 2, usdSpent: 0.5 });
    const { value } = await t.tape.getValue({ namespace: "n", key: "k" });
    assert.deepEqual(part(value, "valueJson", "version"), { valueJson: "2", version: 2 });
    const found = (await t.tape.getSession(session)).session;
    assert.deepEqual(JSON.parse(found?.stateJson ?? ""), { a: 1, "user:b": 2, "app:c": 3 });
    assert.deepEqual(
      found?.events.map((event) => event.contentJson),
      ['"hi"'],
    );
  }),

  rule("R2", "entries are numbered from 1 without gaps, and the run's cursor is the last of them", async (t) => {
    for (const write of runWrites) {
      const { runId, send } = await write.arrange(t);
      await send(t.tape);
      const journal = await t.journal(runId);
      assert.deepEqual(
        journal.map((entry) => entry.seq),
        upTo(journal.length).map((index) => index + 1),
      );
      assert.equal((await t.get(runId)).seqCursor, journal.length);
    }
  }),

  rule("R2", "an entry that is pushed names a change that every reader sees", async (t) => {
    const { runId } = await t.begin();
    const keys = upTo(20).map((index) => `key-${index}`);
    const stream = follow((signal) => t.tape.subscribeRun({ runId, fromSeq: 2 }, { signal }));
    const writing = Promise.all(
      keys.map(async (customKey) => {
        await t.tape.beginEffect({ runId, toolName: "tool", customKey });
        await t.tape.completeEffect({ runId, idempotencyKey: customKey, status: "CONFIRMED" });
      }),
    );
    const reader = await t.other();
    for (const entry of await stream.take(keys.length * 2)) {
      const said = JSON.parse(entry.payloadJson) as { idempotency_key: string; status: string };
      const { effect } = await reader.getEffect({ runId, idempotencyKey: said.idempotency_key });
      assert.ok(
        effect !== undefined && (said.status.endsWith("PENDING") || effect.status === "CONFIRMED"),
        entry.payloadJson,
      );
    }
    await writing;
    await stream.leave();
  }),
];
