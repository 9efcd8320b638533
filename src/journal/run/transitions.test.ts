import { describe, expect, it } from "vitest";
import { begin, beginKey, driveRun, runId, written } from "../../../test/journal/run-driver.ts";
import { startMs, type Saying } from "../../../test/journal/row-driver.ts";
import type { TapeErrorReason } from "../../errors.ts";
import { defaultLimits as limits } from "../limits.ts";
import type { Decide } from "../row.ts";
import { chargeBudget, setBudget } from "./budget.ts";
import { recordDecision } from "./decisions.ts";
import { completeEffect } from "./effects.ts";
import type { RunEvent } from "./events.ts";
import { awaitSignal, sendSignal } from "./gates.ts";
import { endRun, resumeRun } from "./lifecycle.ts";
import { registerCompensation } from "./obligations.ts";
import type { Run } from "./run.ts";
import { cancelTimer, setTimer } from "./timers.ts";

/*
 * What every command does to a run in every situation (R5, R10 to R13, R40 to R42). A cell names what is written, or
 * the reason of the refusal; `=` is an answer that writes nothing.
 */

/** The states of the table of runs; RUNNING by what its lease is, which `ada` got. */
type Situation =
  | "absent"
  | "runnable"
  | "leased"
  | "expired"
  | "waiting"
  | "compensating"
  | "stuck"
  | "terminal"
  | "failed"
  | "cancelled";

type Ending = "TERMINAL" | "FAILED" | "CANCELLED" | "STUCK" | "COMPENSATING";

type Command =
  | "BeginRun by ada"
  | "BeginRun by bob"
  | "ResumeRun by ada"
  | "ResumeRun by bob"
  | `EndRun ${Ending}`
  | `EndRun ${Ending}, stale epoch`
  | "AwaitSignal, answered"
  | "AwaitSignal, this gate"
  | "AwaitSignal, another gate"
  | "SendSignal, answered gate"
  | "SendSignal, this gate"
  | "SendSignal, another gate"
  | "RecordDecision, new"
  | "RecordDecision, repeated"
  | "BeginEffect, new"
  | "BeginEffect, repeated"
  | "SetTimer, new"
  | "SetTimer, repeated"
  | "CancelTimer"
  | "ChargeBudget"
  | "SetBudget"
  | "CompleteEffect"
  | "RegisterCompensation";

type Expected = TapeErrorReason | "=" | Lowercase<string>;

const ended = "timer/cancelled";
const notAllowed = "TRANSITION_NOT_ALLOWED";
const isNot = { absent: "RUN_NOT_FOUND" } as const;
const isOver = { terminal: "RUN_ENDED", failed: "RUN_ENDED", cancelled: "RUN_ENDED" } as const;
const isOverOrUndone = { ...isOver, compensating: "RUN_ENDED", stuck: "RUN_ENDED" } as const;

/** The same in every situation but those named. */
const otherwise = (expected: Expected, but: Partial<Record<Situation, Expected>>): Record<Situation, Expected> => ({
  absent: expected,
  runnable: expected,
  leased: expected,
  expired: expected,
  waiting: expected,
  compensating: expected,
  stuck: expected,
  terminal: expected,
  failed: expected,
  cancelled: expected,
  ...but,
});

// oxfmt-ignore
const table: Record<Command, Record<Situation, Expected>> = {
  "BeginRun by ada": {
    absent: "facts, run/running, new epoch", runnable: "run/running, new epoch", leased: "lease renewed", expired: "new epoch",
    waiting: "run/running, new epoch", compensating: "=", stuck: "=", terminal: "=", failed: "=", cancelled: "=",
  },
  "BeginRun by bob": {
    absent: "facts, run/running, new epoch", runnable: "run/running, new epoch", leased: "LEASE_HELD", expired: "new epoch",
    waiting: "run/running, new epoch", compensating: "=", stuck: "=", terminal: "=", failed: "=", cancelled: "=",
  },
  "ResumeRun by ada": {
    absent: "RUN_NOT_FOUND", runnable: "run/running, new epoch", leased: "lease renewed", expired: "new epoch",
    waiting: "run/running, new epoch", compensating: notAllowed, stuck: "run/running, new epoch", terminal: notAllowed,
    failed: notAllowed, cancelled: notAllowed,
  },
  "ResumeRun by bob": {
    absent: "RUN_NOT_FOUND", runnable: "run/running, new epoch", leased: "LEASE_HELD", expired: "new epoch",
    waiting: "run/running, new epoch", compensating: notAllowed, stuck: "run/running, new epoch", terminal: notAllowed,
    failed: notAllowed, cancelled: notAllowed,
  },
  "EndRun TERMINAL": {
    absent: "RUN_NOT_FOUND", runnable: `run/terminal, ${ended}`, leased: `run/terminal, ${ended}`, expired: `run/terminal, ${ended}`,
    waiting: `run/terminal, ${ended}`, compensating: notAllowed, stuck: notAllowed, terminal: "=", failed: notAllowed, cancelled: notAllowed,
  },
  "EndRun FAILED": {
    absent: "RUN_NOT_FOUND", runnable: `run/failed, ${ended}`, leased: `run/failed, ${ended}`, expired: `run/failed, ${ended}`,
    waiting: `run/failed, ${ended}`, compensating: notAllowed, stuck: "run/failed", terminal: notAllowed, failed: "=", cancelled: notAllowed,
  },
  "EndRun CANCELLED": {
    absent: "RUN_NOT_FOUND", runnable: `run/cancelled, ${ended}`, leased: `run/cancelled, ${ended}`, expired: `run/cancelled, ${ended}`,
    waiting: `run/cancelled, ${ended}`, compensating: notAllowed, stuck: "run/cancelled", terminal: notAllowed, failed: notAllowed, cancelled: "=",
  },
  "EndRun STUCK": {
    absent: "RUN_NOT_FOUND", runnable: `run/stuck, ${ended}`, leased: `run/stuck, ${ended}`, expired: `run/stuck, ${ended}`,
    waiting: `run/stuck, ${ended}`, compensating: notAllowed, stuck: "=", terminal: notAllowed, failed: notAllowed, cancelled: notAllowed,
  },
  "EndRun COMPENSATING": {
    absent: "RUN_NOT_FOUND", runnable: `run/compensating, ${ended}`, leased: `run/compensating, ${ended}`,
    expired: `run/compensating, ${ended}`, waiting: `run/compensating, ${ended}`, compensating: "=", stuck: notAllowed,
    terminal: notAllowed, failed: notAllowed, cancelled: notAllowed,
  },
  "EndRun TERMINAL, stale epoch": otherwise("EPOCH_STALE", isNot),
  "EndRun FAILED, stale epoch": otherwise("EPOCH_STALE", isNot),
  "EndRun CANCELLED, stale epoch": otherwise("EPOCH_STALE", isNot),
  "EndRun STUCK, stale epoch": otherwise("EPOCH_STALE", isNot),
  "EndRun COMPENSATING, stale epoch": otherwise("EPOCH_STALE", isNot),
  "AwaitSignal, answered": otherwise("=", isNot),
  "AwaitSignal, this gate": otherwise(notAllowed, { ...isNot, leased: "gate/waiting", expired: "gate/waiting", waiting: "=" }),
  "AwaitSignal, another gate": otherwise(notAllowed, { ...isNot, leased: "gate/waiting", expired: "gate/waiting" }),
  "SendSignal, answered gate": otherwise("=", { ...isNot, ...isOver }),
  "SendSignal, this gate": otherwise("gate/released", { ...isNot, ...isOver, waiting: "gate/released, runnable" }),
  "SendSignal, another gate": otherwise("gate/released", { ...isNot, ...isOver }),
  "RecordDecision, new": otherwise("decision/recorded", { ...isNot, ...isOverOrUndone }),
  "RecordDecision, repeated": otherwise("=", isNot),
  "BeginEffect, new": otherwise("effect/pending", { ...isNot, ...isOverOrUndone }),
  "BeginEffect, repeated": otherwise("=", isNot),
  "SetTimer, new": otherwise("timer/set", { ...isNot, ...isOverOrUndone }),
  // The end of the run has cancelled the timer, so it would have to be set again.
  "SetTimer, repeated": otherwise("=", { ...isNot, ...isOverOrUndone }),
  CancelTimer: otherwise("timer/cancelled", { ...isNot, compensating: "=", stuck: "=", terminal: "=", failed: "=", cancelled: "=" }),
  ChargeBudget: otherwise("budget/charged", { ...isNot, ...isOverOrUndone }),
  SetBudget: otherwise("caps", { ...isNot, ...isOverOrUndone }),
  CompleteEffect: otherwise("effect/confirmed", isNot),
  RegisterCompensation: otherwise("obligation/pending", isNot),
};

const decision = (index: number): Decide<Run, RunEvent, unknown> =>
  recordDecision({ runId, decisionIndex: index, responseJson: "1" }, limits);
const timer = (timerId: string): Decide<Run, RunEvent, unknown> =>
  setTimer({ runId, timerId, fireAtMs: startMs + 3_600_000, kind: "reminder" }, limits);
const wait = (gateName: string): Decide<Run, RunEvent, unknown> => awaitSignal({ runId, gateName }, limits);
const signal = (gateName: string): Decide<Run, RunEvent, unknown> => sendSignal({ runId, gateName }, runId, limits);
const end = (status: Ending): Decide<Run, RunEvent, unknown> => endRun({ runId, status }, limits);
const stale: Saying = { leaseEpoch: 0 };

const commands: Record<Command, readonly [Decide<Run, RunEvent, unknown>, Saying?]> = {
  "BeginRun by ada": [begin({ leaseOwner: "ada" })],
  "BeginRun by bob": [begin({ leaseOwner: "bob" })],
  "ResumeRun by ada": [resumeRun({ runId, leaseOwner: "ada" }, limits)],
  "ResumeRun by bob": [resumeRun({ runId, leaseOwner: "bob" }, limits)],
  "EndRun TERMINAL": [end("TERMINAL")],
  "EndRun FAILED": [end("FAILED")],
  "EndRun CANCELLED": [end("CANCELLED")],
  "EndRun STUCK": [end("STUCK")],
  "EndRun COMPENSATING": [end("COMPENSATING")],
  "EndRun TERMINAL, stale epoch": [end("TERMINAL"), stale],
  "EndRun FAILED, stale epoch": [end("FAILED"), stale],
  "EndRun CANCELLED, stale epoch": [end("CANCELLED"), stale],
  "EndRun STUCK, stale epoch": [end("STUCK"), stale],
  "EndRun COMPENSATING, stale epoch": [end("COMPENSATING"), stale],
  "AwaitSignal, answered": [wait("early")],
  "AwaitSignal, this gate": [wait("gate")],
  "AwaitSignal, another gate": [wait("other")],
  "SendSignal, answered gate": [signal("early")],
  "SendSignal, this gate": [signal("gate")],
  "SendSignal, another gate": [signal("other")],
  "RecordDecision, new": [decision(1)],
  "RecordDecision, repeated": [decision(0)],
  "BeginEffect, new": [beginKey("new")],
  "BeginEffect, repeated": [beginKey("open")],
  "SetTimer, new": [timer("new")],
  "SetTimer, repeated": [timer("later")],
  CancelTimer: [cancelTimer({ runId, timerId: "later" }, limits)],
  ChargeBudget: [chargeBudget({ runId, usd: 1 }, limits)],
  SetBudget: [setBudget({ runId, usdCap: 1 }, limits)],
  CompleteEffect: [completeEffect({ runId, idempotencyKey: "open", status: "CONFIRMED" }, limits)],
  RegisterCompensation: [registerCompensation({ runId, effectKey: "open", kind: "undo" }, limits)],
};

/** A run in the situation, with a bit of everything that a command may be about. */
function runIn(situation: Situation): ReturnType<typeof driveRun> {
  const run = driveRun();
  if (situation === "absent") return run;
  run.call(begin({ leaseOwner: "ada" }));
  for (const decide of [decision(0), beginKey("done"), beginKey("open"), signal("early"), timer("later")])
    run.call(decide);
  run.call(registerCompensation({ runId, effectKey: "done", kind: "undo" }, limits));
  switch (situation) {
    case "leased":
      break;
    case "runnable":
      run.call(wait("before"));
      run.call(signal("before"));
      break;
    case "expired":
      run.now += 120_000;
      break;
    case "waiting":
      run.call(wait("gate"));
      break;
    case "compensating":
    case "stuck":
    case "terminal":
    case "failed":
    case "cancelled":
      run.call(end(situation.toUpperCase() as Ending));
      break;
    default:
      situation satisfies never;
  }
  return run;
}

describe("transitions of a run", () => {
  const cells = Object.entries(table).flatMap(([command, row]) =>
    Object.entries(row).map(([situation, expected]) => [command as Command, situation as Situation, expected] as const),
  );

  it.each(cells)("%s, when it is %s: %s", (command, situation, expected) => {
    const [decide, saying] = commands[command];
    expect(written(runIn(situation), decide, saying)).toBe(expected);
  });

  it("are the same for a caller with the right epoch as for one who is not fenced", () => {
    for (const [command, situation, expected] of cells.filter(([name]) => commands[name][1] === undefined)) {
      const run = runIn(situation);
      expect(written(run, commands[command][0], { leaseEpoch: run.state.epoch })).toBe(expected);
    }
  });

  it("end in FAILED at once when there is nothing to undo (R11)", () => {
    const run = driveRun();
    run.call(begin());
    expect(written(run, end("COMPENSATING"))).toBe("run/compensating, run/failed");
    expect([run.state.status, run.state.endedAtMs]).toEqual(["FAILED", run.now]);
    expect(written(run, end("COMPENSATING"))).toBe("=");
    expect(written(run, end("FAILED"))).toBe("=");
    expect(written(run, end("TERMINAL"))).toBe(notAllowed);
  });

  it("refuse TERMINAL while nobody knows about an effect (R11)", () => {
    const run = runIn("leased");
    run.call(completeEffect({ runId, idempotencyKey: "open", status: "UNKNOWN" }, limits));
    expect(written(run, end("TERMINAL"))).toBe("EFFECTS_UNKNOWN");
    expect(written(run, end("FAILED"))).toBe(`run/failed, ${ended}`);
  });

  it("wake a run by the answer that it waits for, and by no earlier one (R40)", () => {
    const run = driveRun();
    run.call(begin());
    run.call(wait("gate"), { occurrence: 2 });
    expect(written(run, signal("gate"))).toBe("gate/released");
    expect(run.state.status).toBe("WAITING");
    expect(written(run, signal("gate"))).toBe("gate/released, runnable");
    expect(written(run, signal("gate"))).toBe("=");
  });
});
