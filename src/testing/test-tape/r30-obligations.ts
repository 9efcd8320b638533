import assert from "node:assert/strict";
import type { ObligationStatus } from "../../model/obligation.ts";
import { part, refused, refusedAs, upTo } from "./assertions.ts";
import { dispatcher, type Scene, type UndoneRun } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

const noClaim = { claimedBy: "", claimExpiresAtMs: 0 };

/** Seqs of the obligations, newest first. */
const seqsOf = (run: UndoneRun): number[] => run.obligations.map((obligation) => obligation.seq);

/** Claims it, if it can be claimed. */
async function claim(t: Scene, runId: string, obligationSeq: number, claimer = dispatcher): Promise<boolean> {
  return (await t.tape.claimObligation({ runId, obligationSeq, claimer })).acquired;
}

async function resolve(t: Scene, runId: string, obligationSeq: number, status: ObligationStatus = "COMPENSATED") {
  return t.tape.resolveObligation({ runId, obligationSeq, status });
}

async function due(
  t: Scene,
  flags: { includePending?: boolean; includeStuck?: boolean; includeCommittedExpired?: boolean } = {},
): Promise<number[]> {
  const { obligations } = await t.tape.listUnresolvedObligations({ includePending: true, ...flags });
  return obligations.map((obligation) => obligation.seq);
}

/** R30 to R33: obligations. */
export const obligationCases: readonly TapeCase[] = [
  rule("R30", "a promise is recorded as it was made, with 5 attempts unless it says otherwise", async (t) => {
    const runId = await t.run();
    const effectKey = await t.effect(runId);
    const promise = { runId, effectKey, kind: "undo", payloadJson: '{"p":1}', compensatorRef: "c" };
    const made = await t.tape.registerCompensation(promise);
    assert.deepEqual(made, {
      ...promise,
      seq: 3,
      status: "PENDING",
      tsMs: t.clock.now(),
      attempts: 0,
      maxAttempts: 5,
      nextAttemptAtMs: made.nextAttemptAtMs,
      lastError: "",
      ...noClaim,
      resultJson: "",
    });
    assert.deepEqual(await t.obligationsOf(runId), [made]);
    assert.equal((await t.tape.registerCompensation({ ...promise, kind: "other", maxAttempts: 2 })).maxAttempts, 2);
  }),
  rule("R30", "run, effect and kind name one obligation", async (t) => {
    const runId = await t.run();
    const [one, two] = [await t.effect(runId), await t.effect(runId)];
    const promise = { runId, effectKey: one, kind: "undo", payloadJson: "1" };
    const first = await t.tape.registerCompensation(promise);
    assert.deepEqual(
      await t.unchanged(runId, () => t.tape.registerCompensation({ ...promise, payloadJson: "2" })),
      first,
    );
    const seqs = [
      first.seq,
      (await t.tape.registerCompensation({ ...promise, kind: "notify" })).seq,
      (await t.tape.registerCompensation({ ...promise, effectKey: two })).seq,
    ];
    assert.equal(new Set(seqs).size, 3);
  }),
  rule("R30", "a promise is not due while the run runs, waits, or has ended well", async (t) => {
    const runId = await t.run();
    const effectKey = await t.effect(runId);
    const { seq } = await t.tape.registerCompensation({ runId, effectKey, kind: "undo" });
    const notDue = async () => {
      const [obligation] = await t.obligationsOf(runId);
      const answer = await t.unchanged(runId, () =>
        t.tape.claimObligation({ runId, obligationSeq: seq, claimer: dispatcher }),
      );
      assert.deepEqual(answer, { acquired: false, obligation });
      assert.deepEqual(await due(t), []);
    };
    await notDue();
    await t.tape.awaitSignal({ runId, gateName: "g" });
    await notDue();
    await t.tape.endRun({ runId, status: "TERMINAL" });
    await notDue();
    assert.equal((await t.obligationsOf(runId))[0]?.status, "PENDING");
  }),

  rule("R31", "a run is undone newest first, one at a time, and is FAILED after the last", async (t) => {
    const run = await t.undone(3);
    const { runId } = run;
    assert.deepEqual(
      seqsOf(run),
      seqsOf(run).toSorted((a, b) => b - a),
    );
    for (const [index, seq] of seqsOf(run).entries()) {
      assert.deepEqual(await due(t), [seq]);
      for (const older of seqsOf(run).slice(index + 1)) assert.equal(await claim(t, runId, older), false);
      assert.equal((await t.get(runId)).status, "COMPENSATING");
      assert.equal(await claim(t, runId, seq), true);
      const resolved = await t.tape.resolveObligation({
        runId,
        obligationSeq: seq,
        status: "COMPENSATED",
        resultJson: '"undone"',
      });
      assert.deepEqual(part(resolved, "status", "resultJson", "claimedBy"), {
        status: "COMPENSATED",
        resultJson: '"undone"',
        claimedBy: "",
      });
    }
    const { status, endedAtMs } = await t.get(runId);
    assert.deepEqual([status, endedAtMs], ["FAILED", t.clock.now()]);
    assert.deepEqual((await t.verbs(runId, "run")).slice(1), ["run/compensating", "run/failed"]);
    assert.deepEqual(await due(t), []);
  }),
  rule("R31", "a run with nothing to undo is FAILED at once", async (t) => {
    const runId = await t.run();
    const { run } = await t.tape.endRun({ runId, status: "COMPENSATING" });
    assert.equal(run.status, "FAILED");
    assert.deepEqual(part(run, "leaseOwner", "endedAtMs"), { leaseOwner: "", endedAtMs: t.clock.now() });
  }),
  rule("R31", "a claim holds 60 s by default, against others; an expired one is claimable again", async (t) => {
    const run = await t.undone(1);
    const [seq = 0] = seqsOf(run);
    await claim(t, run.runId, seq);
    const [held] = await t.obligationsOf(run.runId);
    assert.deepEqual(part(held, "status", "claimedBy", "claimExpiresAtMs"), {
      status: "COMMITTED",
      claimedBy: dispatcher,
      claimExpiresAtMs: t.clock.now() + 60_000,
    });
    await t.clock.advance(59_999);
    assert.equal(await t.unchanged(run.runId, () => claim(t, run.runId, seq, "another")), false);
    assert.deepEqual(await due(t, { includeCommittedExpired: true }), []);
    await t.clock.advance(2);
    assert.deepEqual(await due(t, { includeCommittedExpired: true }), [seq]);
    assert.equal(await claim(t, run.runId, seq, "another"), true);
    const late = t.tape.resolveObligation(
      { runId: run.runId, obligationSeq: seq, status: "COMPENSATED" },
      { claimer: dispatcher },
    );
    await refused(late, "CLAIM_HELD", { holder: "another" });
  }),
  rule("R31", "the state of a drain survives reopening", async (t) => {
    const run = await t.undone(2);
    const [newest = 0, oldest = 0] = seqsOf(run);
    await claim(t, run.runId, newest);
    await t.reopen();
    await resolve(t, run.runId, newest);
    await t.reopen();
    assert.deepEqual(await due(t), [oldest]);
  }),

  rule("R32", "an attempt that failed is counted, frees the claim and says when to try again", async (t) => {
    const run = await t.undone(1, 3);
    const [obligationSeq = 0] = seqsOf(run);
    const attempt = { runId: run.runId, obligationSeq };
    for (const count of [1, 2]) {
      await claim(t, run.runId, obligationSeq);
      const dueAt = t.clock.now() + 700;
      const again = await t.tape.recordObligationAttempt({
        ...attempt,
        error: `busy ${count}`,
        nextAttemptAtMs: dueAt,
      });
      assert.deepEqual(
        part(again, "status", "attempts", "lastError", "nextAttemptAtMs", "claimedBy", "claimExpiresAtMs"),
        {
          status: "PENDING",
          attempts: count,
          lastError: `busy ${count}`,
          nextAttemptAtMs: dueAt,
          ...noClaim,
        },
      );
      assert.deepEqual(await due(t), []);
      assert.equal(await claim(t, run.runId, obligationSeq), false, "it is not due yet");
      await t.clock.advance(700);
      assert.deepEqual(await due(t), [obligationSeq]);
    }
    await claim(t, run.runId, obligationSeq);
    const last = await t.tape.recordObligationAttempt({
      ...attempt,
      error: "busy 3",
      nextAttemptAtMs: t.clock.now() + 700,
    });
    assert.deepEqual(part(last, "status", "attempts"), { status: "STUCK", attempts: 3 });
    assert.equal((await t.get(run.runId)).status, "STUCK");
  }),
  ...(
    [
      ["ResolveObligation(STUCK)", (t: Scene, runId: string, seq: number) => resolve(t, runId, seq, "STUCK")],
      [
        "an attempt that is not to be repeated",
        (t: Scene, runId: string, seq: number) =>
          t.tape.recordObligationAttempt({ runId, obligationSeq: seq, error: "never", nextAttemptAtMs: 0 }),
      ],
    ] as const
  ).map(([what, act]) =>
    rule("R32", `${what} makes the run STUCK until someone resolves the obligation`, async (t) => {
      const run = await t.undone(2);
      const { runId } = run;
      const [newest = 0, oldest = 0] = seqsOf(run);
      await claim(t, runId, newest);
      assert.equal((await act(t, runId, newest)).status, "STUCK");
      assert.equal((await t.get(runId)).status, "STUCK");
      assert.equal((await t.verbs(runId)).at(-1), "run/stuck");
      assert.deepEqual(await due(t), []);
      assert.deepEqual(await due(t, { includeStuck: true }), [newest]);
      assert.equal(await claim(t, runId, oldest), false);
      await refusedAs(t.tape.resumeRun({ runId, leaseOwner: "o" }), "FAILED_PRECONDITION");
      assert.equal((await resolve(t, runId, newest)).status, "COMPENSATED");
      assert.equal((await t.get(runId)).status, "COMPENSATING");
      assert.deepEqual(await due(t), [oldest]);
      await claim(t, runId, oldest);
      await resolve(t, runId, oldest);
      assert.equal((await t.get(runId)).status, "FAILED");
    }),
  ),
  rule("R32", "the last obligation, STUCK and then resolved, ends the run", async (t) => {
    const run = await t.undone(1);
    const [seq = 0] = seqsOf(run);
    await claim(t, run.runId, seq);
    await resolve(t, run.runId, seq, "STUCK");
    await resolve(t, run.runId, seq);
    assert.equal((await t.get(run.runId)).status, "FAILED");
  }),
  rule(
    "R32",
    "an obligation born of a DUPLICATE that is STUCK makes its run STUCK; resolved, the run can be resumed",
    async (t) => {
      const runId = await t.run();
      const obligationSeq = await t.duplicate(runId);
      await claim(t, runId, obligationSeq);
      await resolve(t, runId, obligationSeq, "STUCK");
      assert.equal((await t.get(runId)).status, "STUCK");
      await resolve(t, runId, obligationSeq);
      assert.equal((await t.tape.resumeRun({ runId, leaseOwner: "o" })).run.status, "RUNNING");
    },
  ),
  rule("R32", "an attempt is recorded on a claimed obligation only", async (t) => {
    const run = await t.undone(2);
    for (const obligationSeq of seqsOf(run)) {
      const attempt = () =>
        t.tape.recordObligationAttempt({ runId: run.runId, obligationSeq, nextAttemptAtMs: t.clock.now() });
      await t.unchanged(run.runId, () => refusedAs(attempt, "FAILED_PRECONDITION"));
    }
  }),
  rule("R32", "only what is due can be compensated: an older obligation waits for the newer ones", async (t) => {
    const run = await t.undone(2);
    const [newest = 0, oldest = 0] = seqsOf(run);
    await t.unchanged(run.runId, () => refusedAs(resolve(t, run.runId, oldest), "FAILED_PRECONDITION"));
    assert.deepEqual(await due(t), [newest]);
  }),

  rule("R33", "lists the obligations of a run newest first, all, unresolved, or of one status", async (t) => {
    const run = await t.undone(3);
    const { runId } = run;
    const [newest = 0, middle = 0, oldest = 0] = seqsOf(run);
    await claim(t, runId, newest);
    await resolve(t, runId, newest);
    await claim(t, runId, middle);
    const list = async (request: { onlyUnresolved?: boolean; statusFilter?: ObligationStatus }) =>
      (await t.tape.listObligations({ runId, ...request })).obligations.map((obligation) => obligation.seq);
    assert.deepEqual(await list({}), [newest, middle, oldest]);
    assert.deepEqual(await list({ onlyUnresolved: true }), [middle, oldest]);
    assert.deepEqual(await list({ statusFilter: "COMPENSATED" }), [newest]);
    assert.deepEqual(await list({ statusFilter: "COMMITTED" }), [middle]);
    assert.deepEqual(await list({ statusFilter: "PENDING" }), [oldest]);
    assert.deepEqual(await list({ statusFilter: "STUCK" }), []);
    assert.deepEqual(await list({ onlyUnresolved: true, statusFilter: "COMPENSATED" }), []);
  }),
  rule("R33", "asking for no kind of due obligation means those that someone should work on", async (t) => {
    const [pending, expired, held, stuck] = [
      await t.undone(1),
      await t.undone(1),
      await t.undone(1),
      await t.undone(1),
    ];
    const first = (run: UndoneRun): number => seqsOf(run)[0] ?? 0;
    await claim(t, expired.runId, first(expired));
    await claim(t, stuck.runId, first(stuck));
    await resolve(t, stuck.runId, first(stuck), "STUCK");
    await t.clock.advance(60_001);
    await claim(t, held.runId, first(held));
    const { obligations } = await t.tape.listUnresolvedObligations();
    assert.deepEqual(obligations.map((each) => each.runId).toSorted(), [pending.runId, expired.runId].toSorted());
  }),
  rule("R33", "lists due obligations of all runs, oldest due first, as many as asked", async (t) => {
    const runs = [];
    for (const _ of upTo(3)) {
      runs.push(await t.undone(2));
      await t.clock.advance(100);
    }
    const newest = runs.map((run) => [run.runId, seqsOf(run)[0]]);
    const list = async (limit?: number) =>
      (await t.tape.listUnresolvedObligations({ includePending: true, limit })).obligations.map((each) => [
        each.runId,
        each.seq,
      ]);
    assert.deepEqual(await list(), newest);
    assert.deepEqual(await list(2), newest.slice(0, 2));
    const { obligations } = await t.tape.listUnresolvedObligations({ includePending: true, limit: 1 });
    assert.deepEqual(obligations, runs[0]?.obligations.slice(0, 1));
  }),
];
