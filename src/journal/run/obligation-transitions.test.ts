import { describe, expect, it } from "vitest";
import { begin, beginKey, driveRun, runId, written } from "../../../test/journal/run-driver.ts";
import type { Saying } from "../../../test/journal/row-driver.ts";
import type { TapeErrorReason } from "../../errors.ts";
import { defaultLimits as limits } from "../limits.ts";
import type { Decide } from "../row.ts";
import { recordExternalObservation } from "./dispatch.ts";
import type { RunEvent } from "./events.ts";
import { reconcileEffect } from "./effects.ts";
import { endRun, resumeRun } from "./lifecycle.ts";
import { claimObligation, recordObligationAttempt, registerCompensation, resolveObligation } from "./obligations.ts";
import type { Run } from "./run.ts";

/*
 * What every command does to an obligation in every situation (R30 to R32). A cell names what is written, or the reason
 * of the refusal; `=` is an answer that writes nothing. The caller is `me`.
 */

type Situation =
  /** Registered in a run that is not undone. */
  | "promised"
  /** Born of a DUPLICATE in a run that is not undone. */
  | "duplicate"
  /** The run is undone: this is the newest, or there is a newer one. */
  | "newest"
  | "older"
  /** After a failed attempt. */
  | "later"
  | "mine"
  | "theirs"
  | "expired"
  | "stuck"
  | "compensated";

type Command =
  | "Claim by me"
  | "Claim by other"
  | `Attempt ${"retry" | "give up"}${"" | ", as me"}`
  | `Resolve ${"COMPENSATED" | "STUCK"}${"" | ", as me"}`
  | "Register again";

type Expected = TapeErrorReason | "=" | Lowercase<string>;

const notAllowed = "TRANSITION_NOT_ALLOWED";
const notMine = "CLAIM_HELD";
const claimed = "obligation/committed, claim";
const isStuck = "obligation/stuck, run/stuck";
const isDone = "obligation/compensated, run/failed";
/** Nobody has a live claim, or it is theirs. */
const notHeldByMe = { promised: notMine, duplicate: notMine, newest: notMine, older: notMine, later: notMine } as const;
const unclaimed = {
  promised: notAllowed,
  duplicate: notAllowed,
  newest: notAllowed,
  older: notAllowed,
  later: notAllowed,
  expired: notAllowed,
  stuck: notAllowed,
  compensated: notAllowed,
} as const;
const untouched = { promised: "=", older: "=", later: "=", stuck: "=", compensated: "=" } as const;

// oxfmt-ignore
const table: Record<Command, Record<Situation, Expected>> = {
  "Claim by me": { ...untouched, duplicate: claimed, newest: claimed, mine: "claim", theirs: "=", expired: claimed },
  "Claim by other": { ...untouched, duplicate: claimed, newest: claimed, mine: "=", theirs: "=", expired: claimed },
  "Attempt retry": { ...unclaimed, mine: "obligation/pending", theirs: "obligation/pending" },
  "Attempt retry, as me": {
    ...notHeldByMe, mine: "obligation/pending", theirs: notMine, expired: notMine, stuck: notMine, compensated: notMine,
  },
  "Attempt give up": { ...unclaimed, mine: isStuck, theirs: isStuck },
  "Attempt give up, as me": {
    ...notHeldByMe, mine: isStuck, theirs: notMine, expired: notMine, stuck: notMine, compensated: notMine,
  },
  // What is due may be resolved without a claim, and so may what is STUCK, by whoever looked at it.
  "Resolve COMPENSATED": {
    promised: notAllowed, duplicate: "obligation/compensated", newest: isDone, older: notAllowed, later: isDone, mine: isDone,
    theirs: isDone, expired: isDone, stuck: isDone, compensated: "=",
  },
  "Resolve COMPENSATED, as me": {
    ...notHeldByMe, mine: isDone, theirs: notMine, expired: notMine, stuck: notMine, compensated: "=",
  },
  "Resolve STUCK": {
    promised: notAllowed, duplicate: isStuck, newest: isStuck, older: notAllowed, later: isStuck, mine: isStuck,
    theirs: isStuck, expired: isStuck, stuck: "=", compensated: "=",
  },
  "Resolve STUCK, as me": { ...notHeldByMe, mine: isStuck, theirs: notMine, expired: notMine, stuck: "=", compensated: "=" },
  "Register again": {
    ...untouched, duplicate: "=", newest: "=", mine: "=", theirs: "=", expired: "=",
  },
};

const asMe: Saying = { claimer: "me" };
const register = (effectKey = "k", maxAttempts = 3): Decide<Run, RunEvent, unknown> =>
  registerCompensation({ runId, effectKey, kind: "undo", maxAttempts }, limits);
const claim = (obligationSeq: number, claimer: string): Decide<Run, RunEvent, unknown> =>
  claimObligation({ runId, obligationSeq, claimer }, limits);
const attempt = (obligationSeq: number, nextAttemptAtMs: number): Decide<Run, RunEvent, unknown> =>
  recordObligationAttempt({ runId, obligationSeq, error: "busy", nextAttemptAtMs }, limits);
const resolve = (obligationSeq: number, status: "COMPENSATED" | "STUCK"): Decide<Run, RunEvent, unknown> =>
  resolveObligation({ runId, obligationSeq, status }, limits);

const commands: Record<Command, (seq: number) => readonly [Decide<Run, RunEvent, unknown>, Saying?]> = {
  "Claim by me": (seq) => [claim(seq, "me")],
  "Claim by other": (seq) => [claim(seq, "other")],
  "Attempt retry": (seq) => [attempt(seq, 1)],
  "Attempt retry, as me": (seq) => [attempt(seq, 1), asMe],
  "Attempt give up": (seq) => [attempt(seq, 0)],
  "Attempt give up, as me": (seq) => [attempt(seq, 0), asMe],
  "Resolve COMPENSATED": (seq) => [resolve(seq, "COMPENSATED")],
  "Resolve COMPENSATED, as me": (seq) => [resolve(seq, "COMPENSATED"), asMe],
  "Resolve STUCK": (seq) => [resolve(seq, "STUCK")],
  "Resolve STUCK, as me": (seq) => [resolve(seq, "STUCK"), asMe],
  "Register again": () => [register()],
};

/** A run with an obligation of effect `k` in the situation, and that obligation's seq. */
function runIn(situation: Situation): { run: ReturnType<typeof driveRun>; seq: number } {
  const run = driveRun();
  run.call(begin());
  run.call(beginKey("k"));
  if (situation === "duplicate") {
    const seen = { runId, idempotencyKey: "k", resolution: "DUPLICATE", compensateOnDuplicateKind: "undo" } as const;
    run.call(recordExternalObservation(seen, limits));
    return { run, seq: run.state.seq };
  }
  run.call(register());
  const { seq } = run.state;
  if (situation === "promised") return { run, seq };
  if (situation === "older") {
    run.call(beginKey("newer"));
    run.call(register("newer"));
  }
  run.call(endRun({ runId, status: "COMPENSATING" }, limits));
  switch (situation) {
    case "newest":
    case "older":
      break;
    case "later":
      run.call(claim(seq, "me"));
      run.call(attempt(seq, run.now + 60_000));
      break;
    case "mine":
      run.call(claim(seq, "me"));
      break;
    case "theirs":
      run.call(claim(seq, "them"));
      break;
    case "expired":
      run.call(claim(seq, "me"));
      run.now += 60_000;
      break;
    case "stuck":
      run.call(resolve(seq, "STUCK"));
      break;
    case "compensated":
      run.call(resolve(seq, "COMPENSATED"));
      break;
    default:
      situation satisfies never;
  }
  return { run, seq };
}

describe("transitions of an obligation", () => {
  const cells = Object.entries(table).flatMap(([command, row]) =>
    Object.entries(row).map(([situation, expected]) => [command as Command, situation as Situation, expected] as const),
  );

  it.each(cells)("%s, when it is %s: %s", (command, situation, expected) => {
    const { run, seq } = runIn(situation);
    expect(written(run, ...commands[command](seq))).toBe(expected);
  });

  it("make the run STUCK when the last attempt is used up (R32)", () => {
    const { run, seq } = runIn("newest");
    for (const expected of ["obligation/pending", "obligation/pending", isStuck]) {
      run.call(claim(seq, "me"));
      expect(written(run, attempt(seq, 1), asMe)).toBe(expected);
    }
    expect(run.state.status).toBe("STUCK");
  });

  it("go on with the drain when the last that is STUCK has been resolved, newest first (R31, R32)", () => {
    const { run, seq } = runIn("older");
    const newer = [...run.state.openObligations].at(-1) ?? 0;
    expect(written(run, claim(seq, "me"))).toBe("=");
    run.call(resolve(newer, "STUCK"));
    expect(written(run, claim(seq, "me"))).toBe("=");
    expect(written(run, resolve(newer, "COMPENSATED"))).toBe("obligation/compensated, run/compensating");
    expect(written(run, claim(seq, "me"))).toBe(claimed);
    expect(written(run, resolve(seq, "COMPENSATED"))).toBe(isDone);
    expect(run.state.status).toBe("FAILED");
  });

  it("do not change a run that has ended (R12)", () => {
    const { run, seq } = runIn("duplicate");
    run.call(endRun({ runId, status: "TERMINAL" }, limits));
    expect(written(run, claim(seq, "me"))).toBe(claimed);
    expect(written(run, resolve(seq, "STUCK"))).toBe("obligation/stuck");
    expect(written(run, resolve(seq, "COMPENSATED"))).toBe("obligation/compensated");
    expect(run.state.status).toBe("TERMINAL");
  });

  it("do not end a run that was resumed from its drain", () => {
    const { run, seq } = runIn("duplicate");
    run.call(beginKey("dark"));
    run.call(endRun({ runId, status: "COMPENSATING" }, limits));
    const dark = { runId, idempotencyKey: "dark" } as const;
    run.call(recordExternalObservation({ ...dark, resolution: "STUCK" }, limits));
    run.call(reconcileEffect({ ...dark, resolvedStatus: "FAILED" }, limits));
    run.call(resumeRun({ runId, leaseOwner: "ada" }, limits));
    expect(written(run, resolve(seq, "COMPENSATED"))).toBe("obligation/compensated");
    expect(run.state.status).toBe("RUNNING");
  });
});
