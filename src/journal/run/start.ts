import { accept, type Decide } from "../row.ts";
import type { Limits } from "../limits.ts";
import type { Task } from "../../model/reaction.ts";
import { statusEvent, type RunEvent } from "./events.ts";
import { beginRunCommand, type BeginRun } from "./lifecycle.ts";
import type { Run, RunFacts } from "./run.ts";

/** What is put around a reaction's id to name it as the actor of a run. */
const actorPrefix = "reaction/";

/**
 * The run that a task of an AGENT reaction starts (R70): its invocation is the task, so that a task starts one run however
 * often it is tried; its labels say where the entry is found.
 */
export function startedRun(task: Task, agentApp: string, tenantId: string, limits: Limits): BeginRun["facts"] {
  const { taskId, reactionId, sourceRunId, sourceGlobalSeq } = task;
  const request = {
    appName: agentApp,
    sessionId: taskId,
    invocationId: taskId,
    actor: `${actorPrefix}${reactionId}`,
    labels: {
      "tape.reaction_id": reactionId,
      "tape.task_id": taskId,
      "tape.source_run_id": sourceRunId,
      "tape.source_global_seq": String(sourceGlobalSeq),
    },
  };
  const identifierBytes = limits.identifierBytes + actorPrefix.length;
  return beginRunCommand(request, tenantId, { ...limits, identifierBytes }).facts;
}

/** Makes a run that waits for an agent: RUNNABLE, nobody's. One that exists stays as it is, whatever it is doing. */
export const startRun =
  (facts: Omit<RunFacts, "startedAtMs">): Decide<Run, RunEvent, void> =>
  (run, { now }) => {
    if (run.seq > 0) return accept([], undefined);
    const all = { ...facts, startedAtMs: now };
    return accept(
      [{ kind: "head/facts", facts: all }, statusEvent(all, "RUNNING"), { kind: "head/runnable", at: now }],
      undefined,
    );
  };
