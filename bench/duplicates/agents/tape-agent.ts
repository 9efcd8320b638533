/**
 * An agent on Tape, as its documentation shows one. In a world that honours keys it acts itself, under the key that
 * Tape gives the effect. In any other the act is NON_IDEMPOTENT: it is ordered, a dispatcher claims and does it, and
 * what is in doubt becomes UNKNOWN, which is looked up where the world can be asked, and else left to a human.
 *
 * `tape-agent.js <assignment> <store or server URL>`
 */
import { exit } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { connectTape, openTape, TapeError } from "tape-journal";
import type { PlannedRun } from "../assignment.ts";
import { Outside, readAssignment } from "./outside.ts";
import { runDispatcher, scope, orderAct } from "./tape-dispatcher.ts";

/** The shortest that Tape allows is a second; how soon others take over is what it decides. */
const leaseTtlMs = 2_000;
const idleMs = 20;

const {
  assignment,
  args: [url = ""],
} = readAssignment();
const outside = new Outside(assignment);
const runs = new Map(assignment.runs.map((run) => [run.id, run]));
const leaseOwner = `agent-${process.pid}`;
const tape = url.startsWith("tape:") ? connectTape(url) : await openTape(url);

const fail = (error: unknown): never => {
  console.error(error);
  return exit(1);
};
if (assignment.world !== "keys") {
  runDispatcher({ tape, outside, assignment, claimer: leaseOwner, fail }).catch(fail);
}
await (assignment.phase === "begin" ? begin() : recover());

async function begin(): Promise<void> {
  await Promise.all(
    assignment.runs.map(async (run) => {
      const identity = { appName: "duplicates", invocationId: run.id };
      const { runId, leaseEpoch } = await tape.beginRun({ ...identity, leaseOwner, leaseTtlMs, scopes: [scope] });
      await work(run, runId, leaseEpoch);
    }),
  );
}

/** Takes the runs of the dead over as their leases run out, for as long as this process lives. */
async function recover(): Promise<never> {
  const taken = new Set<string>();
  for (;;) {
    const { runs: found } = await tape.listRunsToRecover({ limit: 1_000 });
    for (const { runId, invocationId } of found) {
      const run = runs.get(invocationId);
      if (run === undefined || taken.has(runId)) continue;
      taken.add(runId);
      resume(run, runId).catch(fail);
    }
    await sleep(idleMs);
  }
}

async function resume(run: PlannedRun, runId: string): Promise<void> {
  try {
    const { leaseEpoch } = await tape.resumeRun({ runId, leaseOwner, leaseTtlMs });
    await work(run, runId, leaseEpoch);
  } catch (error) {
    // Meanwhile the dispatcher has found that a human must look, which stops the run.
    if (!(error instanceof TapeError) || error.reason !== "TRANSITION_NOT_ALLOWED") throw error;
    if ((await tape.getRun({ runId })).status !== "STUCK") throw error;
  }
}

/** The agent itself: it knows nothing of crashes. */
async function work(run: PlannedRun, runId: string, leaseEpoch: number): Promise<void> {
  const fenced = { leaseEpoch };
  const { decision } = await tape.getDecision({ runId, decisionIndex: 0 });
  const answer = decision === undefined ? await outside.askModel(run) : String(JSON.parse(decision.responseJson));
  const responseJson = JSON.stringify(answer);
  await tape.recordDecision({ runId, decisionIndex: 0, model: "fake", requestJson: "{}", responseJson }, fenced);
  await outside.pass(run, "decision-recorded");
  if (assignment.world === "keys") {
    const effect = await tape.beginEffect(
      { runId, toolName: "act", decisionIndex: 0, requestJson: responseJson },
      fenced,
    );
    const { idempotencyKey } = effect;
    if (effect.status === "PENDING") {
      const receipt = JSON.stringify(await outside.callTool(run, { answer, idempotencyKey }));
      await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED", responseJson: receipt }, fenced);
    }
  } else if ((await orderAct(tape, run, { runId, requestJson: responseJson, leaseEpoch })) === "stopped") {
    return;
  }
  await outside.pass(run, "outcome-recorded");
  await tape.endRun({ runId, status: "TERMINAL" }, fenced);
  outside.report(run, "ended");
}
