import type { CompactRunRequest, CompactRunResponse } from "../../model/run.ts";
import type { Seq } from "../../model/row.ts";
import type { Limits } from "../limits.ts";
import { accept, bodyText, type Context, type Decide, type Outcome } from "../row.ts";
import { requiredId } from "../validate.ts";
import type { RunEvent } from "./events.ts";
import { mustBeWritable, notAllowed, refuse } from "./guard.ts";
import { effectStatusAt, hasEnded, isAtRest, isUnsettled, type ObligationTerms, type Run } from "./run.ts";
import { maxAttemptsOf } from "./views.ts";

const nothingToDo: CompactRunResponse = {
  decisionsZeroed: 0,
  effectsZeroed: 0,
  bytesSaved: 0,
  alreadyCompacted: true,
};

/** CompactRun (R75): the payloads of a run that is over and settled go; what happened stays. */
export function compactRun(request: CompactRunRequest, limits: Limits): Decide<Run, RunEvent, CompactRunResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    mustBeAtRest(run, runId, context.now);
    return compaction(run, context);
  };
}

/** Retention: compacts a run that ended at this time or earlier, if it is at rest and has not been; answers whether. */
export const compactOld =
  (endedUntilMs: number): Decide<Run, RunEvent, boolean> =>
  (run, context) => {
    if (!isAtRest(run) || run.endedAtMs > endedUntilMs || run.compactedSeq === run.seq) return accept([], false);
    const outcome = compaction(run, context);
    return outcome.kind === "accept" ? accept(outcome.events, true) : outcome;
  };

/** Retention: deletes a compacted run that ended at this time or earlier; answers whether. */
export const deleteOld =
  (endedUntilMs: number): Decide<Run, RunEvent, boolean> =>
  (run, { now }) => {
    if (!isAtRest(run) || run.endedAtMs > endedUntilMs || run.compactedSeq < run.seq) return accept([], false);
    return accept([{ kind: "head/deleted", at: now }], true);
  };

type Compaction = Extract<Outcome<RunEvent, CompactRunResponse>, { kind: "accept" | "needs-bodies" }>;

function compaction(run: Run, context: Context): Compaction {
  const isFresh = (seq: Seq): boolean => seq > run.compactedSeq;
  if (!isFresh(run.seq)) return { kind: "accept", events: [], answer: { kind: "ready", value: nothingToDo } };
  const obligations = [...run.obligations.keys()].filter(isFresh);
  const unread = obligations.filter((seq) => context.bodies(seq) === undefined);
  if (unread.length > 0) return { kind: "needs-bodies", seqs: unread };
  const terms = new Map<Seq, ObligationTerms>(
    obligations.map((seq) => [
      seq,
      { compensatorRef: bodyText(context.bodies, seq, 1), maxAttempts: maxAttemptsOf(seq, context.bodies) },
    ]),
  );
  const value: CompactRunResponse = {
    decisionsZeroed: count(run.decisions.values(), ({ seq }) => isFresh(seq)),
    effectsZeroed: count(run.effects.values(), ({ seq, answerSeqs }) => isFresh(seq) || answerSeqs.some(isFresh)),
    bytesSaved: run.payloadBytes,
    alreadyCompacted: false,
  };
  return { kind: "accept", events: [{ kind: "head/compacted", terms }], answer: { kind: "ready", value } };
}

function count<T>(items: Iterable<T>, isMeant: (item: T) => boolean): number {
  let found = 0;
  for (const item of items) if (isMeant(item)) found += 1;
  return found;
}

/** Refuses a run that is not over, or of which something is open: naming what, so that somebody can settle it. */
function mustBeAtRest(run: Run, runId: string, now: number): void {
  if (!hasEnded(run.status)) {
    throw notAllowed(run, `run ${runId} cannot be compacted: it is ${run.status}; end it first`, {
      status: run.status,
    });
  }
  if (isAtRest(run)) return;
  const unknown = [...run.openEffects].filter((key) => {
    const effect = run.effects.get(key);
    return effect !== undefined && effectStatusAt(effect, now) === "UNKNOWN";
  });
  const [first] = run.openEffects;
  if (unknown.length > 0) {
    throw refuse(
      "EFFECTS_UNKNOWN",
      `run ${runId} cannot be compacted: nobody knows whether ${unknown.slice(0, 10).join(", ")} happened; reconcile first`,
      { run_id: runId, idempotency_keys: unknown.slice(0, 100).join("\n") },
    );
  }
  if (first !== undefined) {
    throw notAllowed(run, `run ${runId} cannot be compacted: effect ${first} is PENDING; settle it first`, {
      idempotency_key: first,
    });
  }
  const open = [...run.obligations.values()].find(isUnsettled);
  throw notAllowed(
    run,
    `run ${runId} cannot be compacted: obligation ${open?.seq ?? 0} is ${open?.status ?? "open"} and has to be resolved first`,
    { obligation_seq: String(open?.seq ?? 0) },
  );
}
