import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "vitest";
import { plain, reloaded, type RowDriver } from "../../../test/journal/row-driver.ts";
import { driveRun, runId } from "../../../test/journal/run-driver.ts";
import { histories } from "../../../test/journal/run-steps.ts";
import { partitionOf, tickIndex } from "../../codec/row-id.ts";
import { timeOfKey } from "../../codec/time-key.ts";
import { defaultLimits as limits } from "../limits.ts";
import { claimEffectDispatch } from "./dispatch.ts";
import { getEffect } from "./effects.ts";
import type { RunEvent } from "./events.ts";
import { timerGraceMs } from "./index-keys.ts";
import { resumeRun } from "./lifecycle.ts";
import { claimObligation } from "./obligations.ts";
import { runRules } from "./rules.ts";
import { dueObligations, hasEnded, isAtRest, type Run } from "./run.ts";
import { tick } from "./timers.ts";

/* What holds after every step of every history of a run. */

/** Takes random histories; `check` looks after every step. */
function always(check: (run: RowDriver<Run, RunEvent>, earlier: readonly Run[]) => void, numRuns = 30): void {
  fc.assert(
    fc.property(histories, (steps) => {
      const run = driveRun();
      const earlier: Run[] = [];
      for (const step of steps) {
        earlier.push(structuredClone(run.state));
        step.take(run);
        check(run, earlier);
      }
    }),
    { numRuns },
  );
}

/** Moments at which something may have become due. */
const later = [0, 1, 1000, 29_000, 61_000, 121_000, 5_000_000];

describe("every history of a run", () => {
  it("is the same when loaded from the store", () => {
    always((run) => {
      assert.deepEqual(reloaded(run), plain(run.state));
    });
  });

  it("is the same when caught up from any earlier moment", () => {
    always((run, earlier) => {
      for (const known of earlier.filter((_, i) => i % 7 === earlier.length % 7)) {
        assert.deepEqual(reloaded(run, known), plain(run.state));
      }
    });
  });

  it("keeps settled effects, decisions and answers for ever (R4)", () => {
    always((run, earlier) => {
      const before = earlier.at(-1);
      if (run.state.deletedAtMs > 0) return;
      for (const [key, effect] of before?.effects ?? []) {
        const now = run.state.effects.get(key);
        if (effect.status === "CONFIRMED" || effect.status === "FAILED") assert.deepEqual(now, effect);
      }
      for (const [index, decision] of before?.decisions ?? []) {
        assert.deepEqual(run.state.decisions.get(index), decision);
      }
      for (const [gate, { answers }] of before?.gates ?? []) {
        assert.deepEqual(run.state.gates.get(gate)?.answers.slice(0, answers.length), answers);
      }
    });
  });

  it("never lowers epoch and spending, and never lets an ended run go on", () => {
    always((run, earlier) => {
      const before = earlier.at(-1) ?? run.state;
      assert.ok(run.state.epoch >= before.epoch);
      assert.ok(run.state.deletedAtMs > 0 || run.state.budget.usdSpent >= before.budget.usdSpent);
      if (hasEnded(before.status)) assert.equal(run.state.status, before.status);
      assert.equal(run.state.lease !== null, run.state.status === "RUNNING");
      assert.equal(run.state.waiting !== null, run.state.status === "WAITING");
      if (before.lease?.owner !== run.state.lease?.owner && run.state.lease !== null) {
        assert.ok(run.state.epoch > before.epoch, "a new owner has a new epoch");
      }
    });
  });

  it("is compacted or deleted only when nothing of it is open, and nothing can become due any more (R75)", () => {
    always((run, earlier) => {
      const before = earlier.at(-1) ?? run.state;
      const isRemoved = run.state.compactedSeq > before.compactedSeq || run.state.deletedAtMs > before.deletedAtMs;
      if (isRemoved) assert.ok(isAtRest(before), "what was removed was at rest");
      if (before.compactedSeq > 0 || before.deletedAtMs > 0) {
        assert.ok(run.state.compactedSeq >= before.compactedSeq || run.state.deletedAtMs > 0);
        assert.deepEqual([run.state.openEffects.size, dueObligations(run.state)], [0, []]);
      }
      if (before.deletedAtMs > 0) assert.deepEqual(plain(run.state), plain(before), "what is deleted stays as it is");
    }, 60);
  });

  it("has a key in the index for whatever somebody may find due, never later than that", () => {
    always((run) => {
      assert.deepEqual(overlooked(run), []);
    }, 20);
  });
});

/** Asks the calls themselves what is due at a moment: what no key up to then would lead to. */
function overlooked(run: RowDriver<Run, RunEvent>): readonly string[] {
  const keys = run.keys();
  const missing: string[] = [];
  for (const at of later.map((ms) => run.now + ms)) {
    const find = (index: string, due: boolean, untilMs: number): void => {
      const found = keys.some((key) => key.index === index && timeOfKey(key.key) <= untilMs);
      if (due && !found) missing.push(`${index} has no key up to ${at - run.now} ms from now`);
    };
    const { status } = run.state;
    const stranger = run.would(resumeRun({ runId, leaseOwner: "stranger" }, limits), at);
    find("~/attention/run", status === "STUCK", at);
    find("~/recover", (status === "RUNNABLE" || status === "RUNNING") && stranger !== null, at);
    for (const [key, { connector }] of run.state.effects) {
      const effect = { runId, idempotencyKey: key };
      const claim = run.would(claimEffectDispatch({ ...effect, claimer: "stranger" }, limits), at);
      find("~/dispatch", claim?.value.acquired === true, at);
      find(`~/dispatch/${connector.replace("/", "%2F")}`, claim?.value.acquired === true, at);
      const seen = run.would(getEffect(effect, limits), at)?.value.effect;
      find("~/attention/effect", seen?.status === "UNKNOWN", at);
      const isUnsure = seen?.status === "UNKNOWN" || (seen?.status === "PENDING" && seen.dispatchMode === "INLINE");
      find("~/reconcile", isUnsure, seen?.tsMs ?? 0);
    }
    for (const [seq, { status: obligation }] of run.state.obligations) {
      const claim = run.would(claimObligation({ runId, obligationSeq: seq, claimer: "stranger" }, limits), at);
      find("~/attention/obligation", obligation === "STUCK", at);
      find("~/compensate", claim?.value.acquired === true || obligation === "STUCK", at);
    }
    for (const timer of run.state.timers.values()) find("~/timer", timer.state === "set", timer.fireAtMs);
    const chores = run.would(tick, at)?.events ?? [];
    find(tickIndex, chores.length > 0, at + timerGraceMs);
    const hasExpired = chores.some((event) => event.kind === "effect/unknown");
    find(tickIndex, hasExpired, at);
  }
  const lists = keys.flatMap(({ index, key }) => (/^~\/runs\b/.test(index) ? [`${index} ${key}`] : []));
  const expected = ["runs", "runs/app/app", `runs/status/${run.state.status}`].map(
    (name) => `~/${name} ${run.state.listKey}`,
  );
  const isListedAt = run.state.seq > 0 && run.state.deletedAtMs === 0 ? expected : [];
  if (lists.join() !== isListedAt.join()) missing.push("the lists of runs are wrong");
  const rest = isAtRest(run.state)
    ? run.state.compactedSeq < run.state.seq
      ? ["retain-payloads", "~/compact"]
      : ["retain-runs"]
    : [];
  const found = keys.filter(
    ({ index, key }) => /^retain|compact$/.test(index) && timeOfKey(key) === run.state.endedAtMs,
  );
  if (
    found
      .map(({ index }) => index)
      .toSorted()
      .join() !== rest.join()
  )
    missing.push("a run at rest is not found, or another one");
  const isListed = keys.some(({ index }) => index === "~/live/app/user/session");
  if (isListed === hasEnded(run.state.status)) missing.push("the list of live runs is wrong");
  return missing;
}

describe("evolve", () => {
  it("is total: any event is applied to any run", () => {
    const all: RunEvent[] = [];
    const seed = 1;
    fc.assert(
      fc.property(histories, (steps) => {
        const run = driveRun();
        for (const step of steps) step.take(run);
        all.push(...run.events);
      }),
      { numRuns: 200, seed },
    );
    assert.equal(new Set(all.map((event) => event.kind)).size, 34, "every kind of event has happened");
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { maxLength: 1000 }), (events) => {
        const run = runRules.absent();
        for (const event of events) {
          runRules.evolve(run, event, { seq: run.seq + 1, at: 1 });
          run.seq += 1;
        }
        runRules.indexKeys(run, partitionOf(""));
        runRules.head(run);
      }),
      { numRuns: 20, seed },
    );
  });
});
