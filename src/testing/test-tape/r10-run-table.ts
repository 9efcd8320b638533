import assert from "node:assert/strict";
import type { TapeErrorReason } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { RunStatus } from "../../model/run.ts";
import type { Tape } from "../../model/tape.ts";
import { part, refused, refusedAs } from "./assertions.ts";
import { awaitedGate, expectedState, runIn, runSituations, type RunSituation } from "./run-states.ts";
import { agent, type Scene } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

/** The calls that the table of runs speaks about. */
const runCalls = {
  ResumeRun: (tape: Tape, runId: string) => tape.resumeRun({ runId, leaseOwner: agent }),
  "EndRun(TERMINAL)": endRun("TERMINAL"),
  "EndRun(FAILED)": endRun("FAILED"),
  "EndRun(CANCELLED)": endRun("CANCELLED"),
  "EndRun(STUCK)": endRun("STUCK"),
  "EndRun(COMPENSATING)": endRun("COMPENSATING"),
  "EndRun(FAILED), fenced before": endRun("FAILED"),
  "AwaitSignal, new gate": (tape: Tape, runId: string, options: CallOptions) =>
    tape.awaitSignal({ runId, gateName: "new" }, options),
  "AwaitSignal, same gate": (tape: Tape, runId: string, options: CallOptions) =>
    tape.awaitSignal({ runId, gateName: awaitedGate }, options),
  "AwaitSignal, fenced before": (tape: Tape, runId: string, options: CallOptions) =>
    tape.awaitSignal({ runId, gateName: awaitedGate }, options),
  SendSignal: (tape: Tape, runId: string) => tape.sendSignal({ runId, gateName: awaitedGate }),
} as const;

type RunCall = keyof typeof runCalls;

/**
 * What a call must lead to: a status (written in capitals), `same` (answered, nothing written), or the reason or the
 * code of the refusal, after which nothing may have changed.
 */
type Outcome =
  | Exclude<RunStatus, "UNSPECIFIED">
  | "same"
  | "stored"
  | Extract<TapeErrorReason, "RUN_NOT_FOUND" | "LEASE_HELD" | "EPOCH_STALE" | "EFFECTS_UNKNOWN" | "RUN_ENDED">
  | "FAILED_PRECONDITION";

const ends = {
  "EndRun(TERMINAL)": "TERMINAL",
  "EndRun(FAILED)": "FAILED",
  "EndRun(CANCELLED)": "CANCELLED",
  "EndRun(STUCK)": "STUCK",
  // Nothing to undo: the drain is over in the same commit.
  "EndRun(COMPENSATING)": "FAILED",
  "EndRun(FAILED), fenced before": "EPOCH_STALE",
} as const;

const noEnd = {
  "EndRun(TERMINAL)": "FAILED_PRECONDITION",
  "EndRun(FAILED)": "FAILED_PRECONDITION",
  "EndRun(CANCELLED)": "FAILED_PRECONDITION",
  "EndRun(STUCK)": "FAILED_PRECONDITION",
  "EndRun(COMPENSATING)": "FAILED_PRECONDITION",
  "EndRun(FAILED), fenced before": "EPOCH_STALE",
} as const;

const noWait = {
  "AwaitSignal, new gate": "FAILED_PRECONDITION",
  "AwaitSignal, same gate": "FAILED_PRECONDITION",
  "AwaitSignal, fenced before": "EPOCH_STALE",
} as const;

const leasable: Record<RunCall, Outcome> = {
  ResumeRun: "RUNNING",
  ...ends,
  "AwaitSignal, new gate": "WAITING",
  "AwaitSignal, same gate": "WAITING",
  "AwaitSignal, fenced before": "EPOCH_STALE",
  SendSignal: "stored",
};

const ended: Record<RunCall, Outcome> = {
  ResumeRun: "FAILED_PRECONDITION",
  ...noEnd,
  ...noWait,
  SendSignal: "RUN_ENDED",
};

const stuck: Record<RunCall, Outcome> = {
  ResumeRun: "FAILED_PRECONDITION",
  ...noEnd,
  "EndRun(FAILED)": "FAILED",
  "EndRun(CANCELLED)": "CANCELLED",
  "EndRun(STUCK)": "same",
  ...noWait,
  SendSignal: "stored",
};

const everywhere = (outcome: Outcome): Record<RunCall, Outcome> =>
  Object.fromEntries(Object.keys(runCalls).map((call) => [call, outcome])) as Record<RunCall, Outcome>;

/** The table of runs, without a hole: every situation with every call. */
const table: Record<RunSituation, Record<RunCall, Outcome>> = {
  absent: everywhere("RUN_NOT_FOUND"),
  RUNNABLE: { ...leasable, ...noWait },
  "RUNNING, lease of an owner without a name": { ...leasable, ResumeRun: "LEASE_HELD" },
  "RUNNING, lease expired": leasable,
  "RUNNING, own lease": leasable,
  "RUNNING, live lease of another": { ...leasable, ResumeRun: "LEASE_HELD" },
  WAITING: {
    ...leasable,
    "AwaitSignal, new gate": "FAILED_PRECONDITION",
    "AwaitSignal, same gate": "same",
    SendSignal: "RUNNABLE",
  },
  COMPENSATING: { ...ended, "EndRun(COMPENSATING)": "same", SendSignal: "stored" },
  STUCK: { ...stuck, ResumeRun: "RUNNING" },
  "STUCK on an obligation": stuck,
  "STUCK on an effect": stuck,
  TERMINAL: { ...ended, "EndRun(TERMINAL)": "same" },
  FAILED: { ...ended, "EndRun(FAILED)": "same" },
  CANCELLED: { ...ended, "EndRun(CANCELLED)": "same" },
};

function endRun(status: RunStatus) {
  return (tape: Tape, runId: string, options: CallOptions): Promise<unknown> => tape.endRun({ runId, status }, options);
}

async function check(t: Scene, situation: RunSituation, call: RunCall, outcome: Outcome): Promise<void> {
  const runId = await runIn(t, situation);
  const options = call.endsWith("fenced before") ? { leaseEpoch: t.staleEpoch } : {};
  const send = (): Promise<unknown> => runCalls[call](t.tape, runId, options);
  switch (outcome) {
    case "RUN_NOT_FOUND":
      await refused(send(), outcome);
      break;
    case "FAILED_PRECONDITION":
      await t.unchanged(runId, () => refusedAs(send(), outcome));
      break;
    case "LEASE_HELD":
    case "EPOCH_STALE":
    case "EFFECTS_UNKNOWN":
    case "RUN_ENDED":
      await t.unchanged(runId, () => refused(send(), outcome));
      break;
    case "same":
      await t.unchanged(runId, send);
      break;
    case "stored": {
      const before = await t.get(runId);
      const answer = (await send()) as { accepted: boolean; runStatus: string };
      assert.deepEqual(answer, { accepted: true, runId, runStatus: before.status });
      assert.equal((await t.get(runId)).status, before.status);
      break;
    }
    default: {
      await send();
      const state = await t.get(runId);
      const leaseOwner = outcome === "RUNNING" ? agent : "";
      assert.deepEqual(part(state, "status", "leaseOwner"), { status: outcome, leaseOwner });
      assert.equal(state.leaseExpiresAtMs > 0, outcome === "RUNNING");
      assert.equal(state.waitingOnGate !== "", outcome === "WAITING");
      assert.equal(state.endedAtMs > 0, ["TERMINAL", "FAILED", "CANCELLED"].includes(outcome));
    }
  }
}

/** BeginRun in every situation: whether it gives a lease, or is refused, or only tells the status. */
const beginTable: Record<RunSituation, "lease" | "status" | "LEASE_HELD"> = {
  absent: "lease",
  RUNNABLE: "lease",
  "RUNNING, lease of an owner without a name": "LEASE_HELD",
  "RUNNING, lease expired": "lease",
  "RUNNING, own lease": "lease",
  "RUNNING, live lease of another": "LEASE_HELD",
  WAITING: "lease",
  COMPENSATING: "status",
  STUCK: "status",
  "STUCK on an obligation": "status",
  "STUCK on an effect": "status",
  TERMINAL: "status",
  FAILED: "status",
  CANCELLED: "status",
};

async function checkBegin(t: Scene, situation: RunSituation): Promise<void> {
  const runId = await runIn(t, situation);
  const known = situation === "absent" ? undefined : await t.get(runId);
  const identity = known ?? { appName: "app", userId: "", sessionId: "", invocationId: "never" };
  const request = { ...part(identity, "appName", "userId", "sessionId", "invocationId"), leaseOwner: agent };
  const begin = () => t.tape.beginRun(request);
  switch (beginTable[situation]) {
    case "LEASE_HELD":
      await t.unchanged(runId, () => refused(begin(), "LEASE_HELD"));
      break;
    case "status": {
      const begun = await t.unchanged(runId, begin);
      assert.deepEqual(begun, {
        runId,
        resumed: true,
        nextSeq: (known?.seqCursor ?? 0) + 1,
        status: known?.status,
        leaseEpoch: 0,
      });
      break;
    }
    case "lease": {
      const begun = await begin();
      const state = await t.get(begun.runId);
      assert.deepEqual(part(state, "status", "leaseOwner", "leaseExpiresAtMs", "waitingOnGate"), {
        status: "RUNNING",
        leaseOwner: agent,
        leaseExpiresAtMs: t.clock.now() + 120_000,
        waitingOnGate: "",
      });
      assert.deepEqual(part(begun, "resumed", "status", "nextSeq"), {
        resumed: known !== undefined,
        status: "RUNNING",
        nextSeq: state.seqCursor + 1,
      });
      await t.tape.recordDecision({ runId: begun.runId, decisionIndex: 0 }, { leaseEpoch: begun.leaseEpoch });
    }
  }
}

/** The table of runs (R10 to R13, R40, R41), cell by cell. */
export const runTableCases: readonly TapeCase[] = runSituations.flatMap((situation) => [
  rule("R10", `a run that is ${situation} is shown as such`, async (t) => {
    if (situation === "absent") await refused(t.get(await runIn(t, situation)), "RUN_NOT_FOUND");
    else
      assert.deepEqual(part(await t.get(await runIn(t, situation)), "status", "leaseOwner"), expectedState(situation));
  }),
  rule("R10", `BeginRun when ${situation}: ${beginTable[situation]}`, (t) => checkBegin(t, situation)),
  ...(Object.keys(runCalls) as RunCall[]).map((call) => {
    const outcome = table[situation][call];
    return rule("R10", `${call} when ${situation}: ${outcome}`, (t) => check(t, situation, call, outcome), {
      usurped: true,
    });
  }),
]);
