import assert from "node:assert/strict";
import { part, refused, upTo } from "./assertions.ts";
import { agent, dispatcher } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";
import { runWrites } from "./run-writes.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";

/** What travels beside a request: fencing, claimer, trace. Request ids are under R3, divergence under R15 and R20. */
export const metadataCases: readonly TapeCase[] = [
  ...runWrites.flatMap((write) => [
    rule(
      "Metadata",
      `${write.call} with an epoch older than the run's is refused and writes nothing`,
      async (t) => {
        const { runId, send } = await write.arrange(t);
        const { staleEpoch } = t;
        assert.ok(staleEpoch > 0);
        await t.unchanged(runId, () =>
          refused(send(t.tape, { leaseEpoch: staleEpoch }), "EPOCH_STALE", { run_id: runId }),
        );
        await send(t.tape, { leaseEpoch: staleEpoch + 1 });
      },
      { usurped: true },
    ),
    rule(
      "Metadata",
      `${write.call} without an epoch is not fenced`,
      async (t) => {
        const { send } = await write.arrange(t);
        await send(t.tape);
      },
      { usurped: true },
    ),
  ]),
  rule("Metadata", "an epoch that the run never had is refused too", async (t) => {
    const { runId, leaseEpoch } = await t.begin();
    await t.unchanged(runId, () =>
      refused(() => t.tape.recordDecision({ runId, decisionIndex: 0 }, { leaseEpoch: leaseEpoch + 1 }), "EPOCH_STALE"),
    );
  }),
  rule("Metadata", "the epoch outlives the lease: a fenced writer goes on until another owner comes", async (t) => {
    const { runId, leaseEpoch } = await t.begin({ leaseTtlMs: 1000 });
    await t.clock.advance(5000);
    await t.tape.recordDecision({ runId, decisionIndex: 0 }, { leaseEpoch });
    await (await t.other()).resumeRun({ runId, leaseOwner: "rival" });
    await refused(t.tape.recordDecision({ runId, decisionIndex: 1 }, { leaseEpoch }), "EPOCH_STALE");
  }),
  rule("Metadata", "epochs only ever rise, by 1 at every change of owner", async (t) => {
    const { runId, leaseEpoch } = await t.begin();
    const epochs = [leaseEpoch];
    for (const round of upTo(4)) {
      await t.clock.advance(120_001);
      epochs.push((await t.tape.resumeRun({ runId, leaseOwner: `owner-${round}` })).leaseEpoch);
      await t.reopen();
    }
    assert.deepEqual(
      epochs,
      upTo(5).map((index) => leaseEpoch + index),
    );
  }),

  rule("Metadata", "a claimer that does not hold the claim is refused, the holder is not", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.outbox(runId);
    await t.claim(runId, idempotencyKey);
    const { runId: undoneId, obligations } = await t.undone(2);
    const due = { runId: undoneId, obligationSeq: obligations[0]?.seq ?? 0 };
    await t.tape.claimObligation({ ...due, claimer: dispatcher });
    const attempt = { runId, idempotencyKey, error: "busy", nextDispatchAtMs: t.clock.now() };
    const again = { ...due, error: "busy", nextAttemptAtMs: t.clock.now() };
    const stranger = { claimer: "stranger" };
    await t.unchanged(runId, async () => {
      await refused(t.tape.recordDispatchAttempt(attempt, stranger), "CLAIM_HELD");
      await refused(t.tape.recordExternalObservation({ ...attempt, resolution: "CONFIRMED" }, stranger), "CLAIM_HELD");
    });
    await t.unchanged(undoneId, async () => {
      await refused(t.tape.recordObligationAttempt(again, stranger), "CLAIM_HELD");
      await refused(t.tape.resolveObligation({ ...due, status: "COMPENSATED" }, stranger), "CLAIM_HELD");
    });
    const holder = { claimer: dispatcher };
    await t.tape.recordDispatchAttempt(attempt, holder);
    await t.claim(runId, idempotencyKey);
    await t.tape.recordExternalObservation({ ...attempt, resolution: "CONFIRMED" }, holder);
    await t.tape.recordObligationAttempt(again, holder);
    await t.tape.claimObligation({ ...due, claimer: dispatcher });
    await t.tape.resolveObligation({ ...due, status: "COMPENSATED" }, holder);
  }),

  rule("Metadata", "a trace context is stored on the entries that the call writes", async (t) => {
    const options = { traceparent: `00-${trace}-${parent}-01` };
    const { runId } = await t.tape.beginRun({ appName: "app", invocationId: "i", leaseOwner: agent }, options);
    await t.tape.recordDecision({ runId, decisionIndex: 0 }, options);
    await t.tape.recordDecision({ runId, decisionIndex: 1 });
    const [begun, traced, plain] = await t.journal(runId);
    for (const entry of [begun, traced]) {
      assert.deepEqual(part(entry, "traceId", "parentSpanId"), { traceId: trace, parentSpanId: parent });
      assert.match(entry?.spanId ?? "", /^[0-9a-f]{16}$/);
      assert.notEqual(entry?.spanId, parent);
    }
    assert.notEqual(plain?.traceId, trace);
  }),
  rule("Metadata", "a trace context that is none is ignored", async (t) => {
    const runId = await t.run();
    for (const [index, traceparent] of [
      "nonsense",
      `00-${"0".repeat(32)}-${parent}-01`,
      `ff-${trace}-${parent}-01`,
    ].entries()) {
      await t.tape.recordDecision({ runId, decisionIndex: index }, { traceparent });
    }
    for (const entry of await t.journal(runId)) assert.notEqual(entry.traceId, trace);
  }),
];
