import { TapeError } from "../../errors.ts";
import type { RecordDecisionResult } from "../../model/call.ts";
import type { GetDecisionRequest, GetDecisionResponse, RecordDecisionRequest } from "../../model/decision.ts";
import type { Limits } from "../limits.ts";
import { accept, acceptReading, type Context, type Decide } from "../row.ts";
import { integer, json, oneMessage, optionalId, requiredId, text } from "../validate.ts";
import { decisionEvent, type RunEvent } from "./events.ts";
import { mustBeOpen, mustBeWritable, mustExist, refuse } from "./guard.ts";
import type { Run } from "./run.ts";
import { decisionView } from "./views.ts";

function decisionIndex(value: number | undefined): number {
  const index = integer("decision_index", value);
  if (index < 0) throw new TapeError("ARGUMENT_INVALID", `decision_index must not be negative; it is ${index}`);
  return index;
}

/** Refuses a divergence when the caller is strict, else says that it is one. */
export function divergence(diverged: boolean, context: Context, runId: string, what: string): boolean {
  if (diverged && context.strict) {
    throw refuse("DIVERGENCE", `the replay of run ${runId} disagrees with its record at ${what}`, {
      run_id: runId,
      what,
    });
  }
  return diverged;
}

/** RecordDecision (R15): the first write of an index wins. */
export function recordDecision(
  request: RecordDecisionRequest,
  limits: Limits,
): Decide<Run, RunEvent, RecordDecisionResult> {
  const runId = requiredId("run_id", request.runId, limits);
  const index = decisionIndex(request.decisionIndex);
  const model = optionalId("model", request.model, limits);
  const requestJson = json("request_json", request.requestJson, limits);
  const responseJson = json("response_json", request.responseJson, limits);
  oneMessage(limits, requestJson, responseJson);
  const rationale = text("rationale", request.rationale, limits);
  const policyVersion = optionalId("policy_version", request.policyVersion, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const known = run.decisions.get(index);
    if (known !== undefined) {
      if (context.strict && context.bodies(known.seq) === undefined) return { kind: "needs-bodies", seqs: [known.seq] };
      const complete = (bodies: Context["bodies"]): RecordDecisionResult => {
        const recorded = decisionView(runId, known, bodies);
        // What is gone cannot disagree (R75).
        const isThere = known.seq > run.compactedSeq;
        const diverged =
          recorded.model !== model ||
          (isThere && recorded.responseJson !== responseJson) ||
          recorded.policyVersion !== policyVersion;
        return { ...recorded, diverged: divergence(diverged, context, runId, `decision ${index}`) };
      };
      return context.strict ? accept([], complete(context.bodies)) : acceptReading([], [known.seq], complete);
    }
    mustBeOpen(run, "recording a decision");
    const meta = { decision_index: index, model, policy_version: policyVersion, rationale };
    return accept([decisionEvent(run, meta, requestJson, responseJson)], {
      runId,
      seq: run.seq + 1,
      decisionIndex: index,
      model,
      requestJson,
      responseJson,
      rationale,
      policyVersion,
      tsMs: context.now,
      diverged: false,
    });
  };
}

/** GetDecision (R16). */
export function getDecision(request: GetDecisionRequest, limits: Limits): Decide<Run, RunEvent, GetDecisionResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const index = decisionIndex(request.decisionIndex);
  return (run) => {
    mustExist(run, runId);
    const known = run.decisions.get(index);
    if (known === undefined) return accept([], { found: false });
    return acceptReading([], [known.seq], (bodies) => ({ found: true, decision: decisionView(runId, known, bodies) }));
  };
}
