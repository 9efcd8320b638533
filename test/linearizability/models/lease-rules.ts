import type { Operation } from "../history.ts";
import { seqSaid, stays, unwritable, type Of, type RunInput, type RunModelState } from "./run-state.ts";
import { isRepeat, put, says, withRequest } from "./says.ts";
import { decidedIn, known, later, viewsOf } from "./time.ts";

/* Leases and what is written under them: R10 to R13, R15, and the table of runs. */

/** BeginRun and ResumeRun: the lease is taken, renewed, or held by another. */
export function take(
  run: RunModelState,
  operation: Operation<RunInput>,
  input: Of<"begin" | "resume">,
): readonly RunModelState[] {
  if (run.seq === 0 && input.call === "resume") return stays(run, operation, { refused: "RUN_NOT_FOUND" });
  if (run.status === "CANCELLED") {
    return stays(
      run,
      operation,
      input.call === "resume"
        ? { refused: "TRANSITION_NOT_ALLOWED", status: "CANCELLED" }
        : { status: "CANCELLED", epoch: 0, existed: true, ...seqSaid(run, run.seq) },
    );
  }
  return viewsOf(run.lease, decidedIn(operation)).flatMap(({ isLive, hold }) => {
    const isHeld = isLive && hold !== null && hold.by !== input.owner;
    return isHeld ? held({ ...run, lease: hold }, operation) : taken(run, operation, input, isLive);
  });
}

function held(run: RunModelState, operation: Operation<RunInput>): readonly RunModelState[] {
  const { lease } = run;
  if (lease === null || !says(operation, { refused: "LEASE_HELD", holder: lease.by })) return [];
  const ends = known(lease.ends, operation.answer?.["expiresAtMs"]);
  return ends === null ? [] : [{ ...run, lease: { by: lease.by, ends } }];
}

function taken(
  run: RunModelState,
  operation: Operation<RunInput>,
  { call, owner, ttlMs }: Of<"begin" | "resume">,
  isRenewal: boolean,
): readonly RunModelState[] {
  const starts = run.seq === 0 || run.status !== "RUNNING";
  const epoch = isRenewal ? run.epoch : run.epoch + 1;
  const seq = starts ? run.seq + 1 : run.seq;
  const answer = { status: "RUNNING", epoch, ...seqSaid(run, seq) };
  const fields = call === "begin" ? { ...answer, existed: run.seq > 0 } : { ...answer, owner, gate: "" };
  if (!says(operation, fields)) return [];
  const ends = known(later(decidedIn(operation), ttlMs), operation.answer?.["expiresAtMs"]);
  return ends === null ? [] : [{ ...run, seq, epoch, status: "RUNNING", waiting: null, lease: { by: owner, ends } }];
}

/** GetRun: tells a lease also when it has expired. */
export function getRun(run: RunModelState, operation: Operation<RunInput>): readonly RunModelState[] {
  if (run.seq === 0) return stays(run, operation, { refused: "RUN_NOT_FOUND" });
  const { status, waiting, lease } = run;
  const fields = { status, gate: waiting?.gate ?? "", owner: lease?.by ?? "", ...seqSaid(run, run.seq) };
  if (lease === null) return stays(run, operation, { ...fields, expiresAtMs: 0 });
  if (!says(operation, fields)) return [];
  const ends = known(lease.ends, operation.answer?.["expiresAtMs"]);
  return ends === null ? [] : [{ ...run, lease: { by: lease.by, ends } }];
}

/** RecordDecision: fenced, and the first of an index wins. */
export function decide(
  run: RunModelState,
  operation: Operation<RunInput>,
  { index, response, epoch }: Of<"decide">,
): readonly RunModelState[] {
  const refusal = unwritable(run, epoch);
  if (refusal !== null) return stays(run, operation, refusal);
  const recorded = run.decisions[index];
  if (recorded !== undefined) {
    return stays(run, operation, { response: recorded.response, ...seqSaid(run, recorded.seq) });
  }
  if (run.status === "CANCELLED") return stays(run, operation, { refused: "RUN_ENDED", status: "CANCELLED" });
  const seq = run.seq + 1;
  if (!says(operation, { response, ...seqSaid(run, seq) })) return [];
  return [{ ...run, seq, decisions: put(run.decisions, String(index), { seq, response }) }];
}

/** EndRun(CANCELLED). */
export function cancel(
  run: RunModelState,
  operation: Operation<RunInput>,
  { epoch, requestId }: Of<"cancel">,
): readonly RunModelState[] {
  const refusal = unwritable(run, epoch);
  if (refusal !== null) return stays(run, operation, refusal);
  if (run.status === "CANCELLED" || isRepeat(run.requests, requestId)) {
    return stays(run, operation, { status: run.status, ...seqSaid(run, run.seq) });
  }
  const seq = run.seq + 1;
  if (!says(operation, { status: "CANCELLED", ...seqSaid(run, seq) })) return [];
  const requests = withRequest(run.requests, requestId);
  return [{ ...run, seq, status: "CANCELLED", lease: null, waiting: null, requests }];
}
