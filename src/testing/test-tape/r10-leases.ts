import assert from "node:assert/strict";
import { part, refused, refusedAs, upTo } from "./assertions.ts";
import { rival, runIn } from "./run-states.ts";
import { agent, dispatcher, farFuture } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";
import { runWrites } from "./run-writes.ts";

/** R10 to R13: beginning, leasing, ending and recovering runs. */
export const leaseCases: readonly TapeCase[] = [
  rule("R10", "a new run has one entry run/running, keeps what it was begun with, and says so", async (t) => {
    const request = {
      appName: "app",
      userId: "u",
      sessionId: "s",
      invocationId: "i",
      leaseOwner: agent,
      leaseTtlMs: 30_000,
      tenantId: "t",
      actor: "a",
      subject: "su",
      agentId: "ag",
      aiplexInstanceId: "ai",
      gatewayRoute: "g",
      scopes: ["one", "two"],
      labels: { k: "v" },
    };
    const begun = await t.tape.beginRun(request);
    assert.deepEqual(part(begun, "resumed", "nextSeq", "status"), { resumed: false, nextSeq: 2, status: "RUNNING" });
    const { leaseTtlMs: _, ...kept } = request;
    const now = t.clock.now();
    assert.deepEqual(await t.get(begun.runId), {
      ...kept,
      runId: begun.runId,
      status: "RUNNING",
      seqCursor: 1,
      leaseExpiresAtMs: now + 30_000,
      startedAtMs: now,
      endedAtMs: 0,
      waitingOnGate: "",
    });
    assert.deepEqual(await t.verbs(begun.runId), ["run/running"]);
  }),
  rule("R10", "next_seq is the seq of the next entry", async (t) => {
    const { runId, nextSeq } = await t.begin({ invocationId: "i" });
    assert.equal((await t.tape.recordDecision({ runId, decisionIndex: 0 })).seq, nextSeq);
    const again = await t.begin({ invocationId: "i" });
    assert.equal((await t.tape.beginEffect({ runId, toolName: "t" })).seq, again.nextSeq);
  }),
  rule("R10", "the same identity is the same run for every caller, another identity is another", async (t) => {
    const identity = { appName: "a", userId: "u", sessionId: "s", invocationId: "i" };
    const { runId } = await t.tape.beginRun({ ...identity, leaseOwner: agent });
    assert.equal((await (await t.other()).beginRun({ ...identity, leaseOwner: agent })).runId, runId);
    for (const name of Object.keys(identity)) {
      assert.notEqual((await t.tape.beginRun({ ...identity, [name]: "x" })).runId, runId, name);
    }
  }),
  rule("R10", "a lease is 120 s by default, and never under 1 s or over 1 h", async (t) => {
    for (const [asked, given] of [
      [0, 120_000],
      [1000, 1000],
      [3_600_000, 3_600_000],
      [10, 1000],
      [7_200_000, 3_600_000],
    ] as const) {
      const runId = await t.run({ leaseTtlMs: asked });
      const left = async () => (await t.get(runId)).leaseExpiresAtMs - t.clock.now();
      assert.equal(await left(), given, `BeginRun asking for ${asked} ms`);
      await t.tape.resumeRun({ runId, leaseOwner: agent, leaseTtlMs: asked });
      assert.equal(await left(), given, `ResumeRun asking for ${asked} ms`);
    }
  }),
  rule("R10", "an owner without a name is an owner like any other", async (t) => {
    const { runId, leaseEpoch } = await t.begin({ leaseOwner: "", invocationId: "i" });
    assert.equal((await t.begin({ leaseOwner: "", invocationId: "i" })).leaseEpoch, leaseEpoch);
    await refused(() => t.tape.resumeRun({ runId, leaseOwner: agent }), "LEASE_HELD");
    await t.clock.advance(120_001);
    assert.equal((await t.tape.resumeRun({ runId, leaseOwner: agent })).leaseEpoch, leaseEpoch + 1);
  }),
  rule("R10", "the tenant that a request names is part of the identity where no credential gives one", async (t) => {
    const begin = (tenantId: string) => t.begin({ invocationId: "i", tenantId });
    const [none, red, blue] = [await begin(""), await begin("red"), await begin("blue")];
    assert.equal(new Set([none.runId, red.runId, blue.runId]).size, 3);
    assert.equal((await t.get(red.runId)).tenantId, "red");
    assert.deepEqual(part(await begin("red"), "runId", "resumed"), { runId: red.runId, resumed: true });
  }),
  rule("R10", "renewing a live lease keeps the epoch, any other acquisition raises it", async (t) => {
    const begin = () => t.begin({ invocationId: "i", leaseTtlMs: 10_000 });
    const { runId, leaseEpoch } = await begin();
    await t.clock.advance(9000);
    assert.equal((await begin()).leaseEpoch, leaseEpoch);
    assert.equal((await t.get(runId)).leaseExpiresAtMs, t.clock.now() + 10_000);
    assert.equal((await t.tape.resumeRun({ runId, leaseOwner: agent, leaseTtlMs: 10_000 })).leaseEpoch, leaseEpoch);
    await t.clock.advance(10_001);
    assert.equal((await begin()).leaseEpoch, leaseEpoch + 1);
    await t.clock.advance(10_001);
    assert.equal((await t.tape.resumeRun({ runId, leaseOwner: rival })).leaseEpoch, leaseEpoch + 2);
    await t.tape.awaitSignal({ runId, gateName: "g" });
    assert.equal((await t.tape.resumeRun({ runId, leaseOwner: rival })).leaseEpoch, leaseEpoch + 3);
  }),
  rule("R10", "taking over a lease while RUNNING writes no entry, waking a WAITING run does", async (t) => {
    const { runId } = await t.begin({ leaseTtlMs: 1000 });
    await t.clock.advance(1001);
    await t.tape.resumeRun({ runId, leaseOwner: rival });
    assert.deepEqual(await t.verbs(runId), ["run/running"]);
    await t.tape.awaitSignal({ runId, gateName: "g" });
    await t.tape.resumeRun({ runId, leaseOwner: rival });
    assert.deepEqual(await t.verbs(runId), ["run/running", "gate/waiting", "run/running"]);
  }),

  ...(["TERMINAL", "FAILED", "CANCELLED"] as const).map((status) =>
    rule("R11", `EndRun(${status}) clears lease and unfired timers and writes one entry`, async (t) => {
      const runId = await t.run();
      await t.tape.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now() + 5, kind: "wake" });
      const { run } = await t.tape.endRun({ runId, status, detailJson: '{"why":"done"}' });
      assert.deepEqual(run, await t.get(runId));
      assert.deepEqual(part(run, "status", "leaseOwner", "leaseExpiresAtMs", "endedAtMs"), {
        status,
        leaseOwner: "",
        leaseExpiresAtMs: 0,
        endedAtMs: t.clock.now(),
      });
      const verbs = await t.verbs(runId, "run");
      assert.deepEqual(verbs, ["run/running", `run/${status.toLowerCase()}`]);
      await t.clock.advance(10);
      assert.deepEqual((await t.tape.listDueTimers({ nowMs: farFuture })).timers, []);
    }),
  ),
  rule("R11", "TERMINAL is refused while an effect is UNKNOWN, naming the keys; other ends are not", async (t) => {
    const runId = await t.run();
    const keys = [await t.unknown(runId), await t.unknown(runId)];
    const error = await t.unchanged(runId, () =>
      refused(t.tape.endRun({ runId, status: "TERMINAL" }), "EFFECTS_UNKNOWN", { run_id: runId }),
    );
    for (const key of keys)
      assert.ok(JSON.stringify(Object.values(error.ids)).includes(key), JSON.stringify(error.ids));
    for (const idempotencyKey of keys)
      await t.tape.reconcileEffect({ runId, idempotencyKey, resolvedStatus: "FAILED" });
    assert.equal((await t.tape.endRun({ runId, status: "TERMINAL" })).run.status, "TERMINAL");
    for (const status of ["FAILED", "CANCELLED", "STUCK"] as const) {
      const other = await t.run();
      await t.unknown(other);
      assert.equal((await t.tape.endRun({ runId: other, status })).run.status, status);
    }
  }),
  rule("R11", "TERMINAL is refused from the instant that a claim of a NON_IDEMPOTENT effect has expired", async (t) => {
    const runId = await t.run();
    await t.claim(runId, await t.wire(runId));
    await t.clock.advance(60_001);
    await refused(t.tape.endRun({ runId, status: "TERMINAL" }), "EFFECTS_UNKNOWN");
  }),

  ...runWrites
    .filter(({ call }) => call !== "EndRun" && !/^(Cancel|ClaimObl|Resolve|RecordObl)/.test(call))
    .map((write) =>
      rule("R12", `${write.call} is ${write.afterTheEnd} on a run that has ended`, async (t) => {
        const { runId, send } = await write.arrange(t);
        await t.tape.endRun({ runId, status: "CANCELLED" });
        if (write.afterTheEnd === "allowed") await send(t.tape);
        else await t.unchanged(runId, () => refusedAs(send(t.tape), "FAILED_PRECONDITION"));
        assert.equal((await t.get(runId)).status, "CANCELLED");
      }),
    ),
  rule("R12", "CancelTimer on a run that has ended writes nothing", async (t) => {
    const runId = await t.run();
    await t.tape.setTimer({ runId, timerId: "t", fireAtMs: farFuture, kind: "wake" });
    await t.tape.endRun({ runId, status: "CANCELLED" });
    // The end cancelled it: to say so again, and to refuse, are both true.
    await t.unchanged(runId, () => Promise.allSettled([t.tape.cancelTimer({ runId, timerId: "t" })]));
  }),
  rule("R12", "an obligation that is due at once can be worked off after the end", async (t) => {
    const runId = await t.run();
    const due = { runId, obligationSeq: await t.duplicate(runId) };
    await t.tape.endRun({ runId, status: "TERMINAL" });
    for (const attempt of [1, 2]) {
      assert.equal((await t.tape.claimObligation({ ...due, claimer: dispatcher })).acquired, true);
      if (attempt === 1)
        await t.tape.recordObligationAttempt({ ...due, error: "busy", nextAttemptAtMs: t.clock.now() });
    }
    assert.equal((await t.tape.resolveObligation({ ...due, status: "COMPENSATED" })).status, "COMPENSATED");
    assert.equal((await t.get(runId)).status, "TERMINAL");
  }),
  ...(["COMPENSATING", "STUCK"] as const).map((situation) =>
    rule("R12", `decisions, new effects, gates, timers and budget are refused while ${situation}`, async (t) => {
      const runId = await runIn(t, situation);
      await t.unchanged(runId, async () => {
        for (const call of [
          () => t.tape.recordDecision({ runId, decisionIndex: 9 }),
          () => t.tape.beginEffect({ runId, toolName: "new" }),
          () => t.tape.awaitSignal({ runId, gateName: "new" }),
          () => t.tape.setTimer({ runId, timerId: "new", fireAtMs: farFuture, kind: "wake" }),
          () => t.tape.setBudget({ runId, usdCap: 1 }),
          () => t.tape.chargeBudget({ runId, usd: 1 }),
        ]) {
          await refusedAs(call, "FAILED_PRECONDITION");
        }
      });
    }),
  ),
  rule("R12", "what was recorded is still given back after the end", async (t) => {
    const runId = await t.waiting("g");
    await t.tape.sendSignal({ runId, gateName: "g", resolutionJson: '"yes"' });
    await t.tape.resumeRun({ runId, leaseOwner: agent });
    const decision = { runId, decisionIndex: 0, responseJson: "1" };
    const effect = { runId, toolName: "t" };
    await t.tape.recordDecision(decision);
    await t.tape.beginEffect(effect);
    await t.tape.endRun({ runId, status: "TERMINAL" });
    await t.unchanged(runId, async () => {
      assert.equal((await t.tape.recordDecision(decision)).responseJson, "1");
      assert.equal((await t.tape.beginEffect(effect)).status, "PENDING");
      assert.equal((await t.tape.awaitSignal({ runId, gateName: "g" })).resolutionJson, '"yes"');
    });
  }),

  rule(
    "R13",
    "lists RUNNABLE runs and RUNNING ones whose lease has expired, oldest due first, and no others",
    async (t) => {
      const expired = await t.run({ leaseTtlMs: 5000 });
      await t.clock.advance(1000);
      const sooner = await t.run({ leaseTtlMs: 2000 });
      await t.clock.advance(9000);
      const runnable = await runIn(t, "RUNNABLE");
      for (const situation of ["RUNNING, own lease", "WAITING", "COMPENSATING", "STUCK", "TERMINAL"] as const)
        await runIn(t, situation);
      await t.clock.advance(1);
      const list = async (limit?: number) => (await t.tape.listRunsToRecover({ limit })).runs.map((run) => run.runId);
      assert.deepEqual(await list(), [sooner, expired, runnable]);
      assert.deepEqual(await list(2), [sooner, expired]);
      const [first] = (await t.tape.listRunsToRecover()).runs;
      assert.deepEqual(first, await t.get(sooner));
    },
  ),
  rule("R13", "a run that is leased leaves the list, and comes back when the lease runs out", async (t) => {
    const runIds = [];
    for (const _ of upTo(3)) {
      runIds.push(await t.run({ leaseTtlMs: 1000 }));
      await t.clock.advance(10);
    }
    await t.clock.advance(2000);
    const first = async () => (await t.tape.listRunsToRecover({ limit: 1 })).runs[0]?.runId;
    for (const runId of runIds) {
      assert.equal(await first(), runId);
      await t.tape.resumeRun({ runId, leaseOwner: rival, leaseTtlMs: 5000 });
    }
    assert.equal(await first(), undefined);
    await t.clock.advance(5001);
    assert.equal((await t.tape.listRunsToRecover()).runs.length, 3);
    for (const runId of runIds) await t.tape.endRun({ runId, status: "CANCELLED" });
    assert.deepEqual((await t.tape.listRunsToRecover()).runs, []);
  }),
  rule("R13", "of callers that resume one run, one wins and the others are told who holds it", async (t) => {
    const runId = await runIn(t, "RUNNING, lease expired");
    const tapes = [t.tape, await t.other(), await t.other(2)];
    const outcomes = await Promise.allSettled(
      upTo(9).map((index) => (tapes[index % 3] ?? t.tape).resumeRun({ runId, leaseOwner: `owner-${index}` })),
    );
    const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
    assert.equal(won.length, 1);
    const holder = won[0]?.value.run.leaseOwner ?? "";
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") await refused(Promise.reject(outcome.reason), "LEASE_HELD", { holder });
    }
  }),
  rule("R13", "a run stays where it was: resuming gives its state, and what it had recorded", async (t) => {
    const runId = await t.run({ leaseTtlMs: 1000 });
    const key = await t.outbox(runId);
    await t.claim(runId, key, dispatcher);
    await t.clock.advance(1001);
    const { run } = await t.tape.resumeRun({ runId, leaseOwner: rival });
    assert.deepEqual(run, await t.get(runId));
    assert.equal((await t.effectOf(runId, key)).dispatchClaimedBy, dispatcher);
  }),
];
