import type { Operation } from "../history.ts";
import { stays, unwritable, type Of, type RunInput, type RunModelState } from "./run-state.ts";
import { isRepeat, put, says, withRequest } from "./says.ts";

/* Gates and signals: R40 to R42. */

/** AwaitSignal. */
export function wait(
  run: RunModelState,
  operation: Operation<RunInput>,
  { gate, occurrence, epoch }: Of<"await">,
): readonly RunModelState[] {
  const refusal = unwritable(run, epoch);
  if (refusal !== null) return stays(run, operation, refusal);
  const { awaited, answers } = run.gates[gate] ?? { awaited: 0, answers: [] };
  const resolution = answers[occurrence - 1];
  if (resolution !== undefined) return stays(run, operation, { delivered: true, resolution });
  const { status, waiting } = run;
  if (status === "WAITING" && waiting?.gate === gate && waiting.occurrence === occurrence) {
    return stays(run, operation, { delivered: false, resolution: "" });
  }
  if (status !== "RUNNING") return stays(run, operation, { refused: "TRANSITION_NOT_ALLOWED", status });
  if (!says(operation, { delivered: false, resolution: "" })) return [];
  const gates = put(run.gates, gate, { awaited: Math.max(awaited, occurrence), answers });
  return [{ ...run, seq: run.seq + 1, status: "WAITING", waiting: { gate, occurrence }, lease: null, gates }];
}

/** SendSignal. */
export function send(
  run: RunModelState,
  operation: Operation<RunInput>,
  { gate, resolution, requestId }: Of<"send">,
): readonly RunModelState[] {
  const refusal = unwritable(run, undefined);
  if (refusal !== null) return stays(run, operation, refusal);
  const { status, waiting } = run;
  if (isRepeat(run.requests, requestId)) return stays(run, operation, { accepted: true, status });
  if (status === "CANCELLED") return stays(run, operation, { refused: "RUN_ENDED", status });
  const { awaited, answers } = run.gates[gate] ?? { awaited: 0, answers: [] };
  if (answers.length >= Math.max(1, awaited)) return stays(run, operation, { accepted: false, status });
  const occurrence = answers.length + 1;
  const isAwaited = status === "WAITING" && waiting?.gate === gate && waiting.occurrence === occurrence;
  if (!says(operation, { accepted: true, status: isAwaited ? "RUNNABLE" : status })) return [];
  const next = {
    ...run,
    seq: run.seq + 1,
    gates: put(run.gates, gate, { awaited, answers: [...answers, resolution] }),
    requests: withRequest(run.requests, requestId),
  };
  return [isAwaited ? { ...next, status: "RUNNABLE", waiting: null, lease: null } : next];
}
