import { TapeError } from "../../errors.ts";
import type {
  AwaitSignalRequest,
  AwaitSignalResponse,
  SendSignalRequest,
  SendSignalResponse,
} from "../../model/gate.ts";
import type { Limits } from "../limits.ts";
import { accept, acceptReading, bodyText, type Decide } from "../row.ts";
import { json, requiredId } from "../validate.ts";
import { gateEvent, type RunEvent } from "./events.ts";
import { isRepeat, mustBeWritable, notAllowed, refuse, remember } from "./guard.ts";
import { hasEnded, type Run, type Status } from "./run.ts";

/** AwaitSignal (R40, R41): the answer if it is there, else the run waits and gives up its lease. */
export function awaitSignal(request: AwaitSignalRequest, limits: Limits): Decide<Run, RunEvent, AwaitSignalResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const gate = requiredId("gate_name", request.gateName, limits);
  const payload = json("payload_json", request.payloadJson, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const { occurrence } = context;
    if (!Number.isSafeInteger(occurrence) || occurrence < 1) {
      throw new TapeError("ARGUMENT_INVALID", `the gate occurrence must be a positive integer; it is ${occurrence}`);
    }
    const answered = run.gates.get(gate)?.answers[occurrence - 1];
    if (answered !== undefined) {
      return acceptReading([], [answered], (bodies) => ({
        delivered: true,
        resolutionJson: bodyText(bodies, answered, 0),
      }));
    }
    const { status, waiting } = run;
    const waitsHere = status === "WAITING" && waiting?.gate === gate && waiting.occurrence === occurrence;
    if (!waitsHere && status !== "RUNNING") {
      throw notAllowed(
        run,
        `run ${runId} cannot wait at gate ${gate}: it is ${status}${waiting ? ` at gate ${waiting.gate}` : ""}`,
        {
          status,
          gate,
        },
      );
    }
    const events = waitsHere ? [] : [gateEvent(run, "waiting", gate, occurrence, payload)];
    return accept(events, { delivered: false, resolutionJson: "" });
  };
}

/** Which occurrence of a gate the next answer fills; `null` when every wait has its answer (R42). */
function openOccurrence(run: Run, gate: string): number | null {
  const { awaited, answers } = run.gates.get(gate) ?? { awaited: 0, answers: [] };
  return answers.length < Math.max(1, awaited) ? answers.length + 1 : null;
}

/** The events by which an answer reaches a gate; the run becomes RUNNABLE if it waits for just this (R41). */
export function deliver(run: Run, gate: string, occurrence: number, resolution: string, now: number): RunEvent[] {
  const events: RunEvent[] = [gateEvent(run, "released", gate, occurrence, resolution)];
  const { waiting, status } = run;
  if (status === "WAITING" && waiting?.gate === gate && waiting.occurrence === occurrence) {
    events.push({ kind: "head/runnable", at: now });
  }
  return events;
}

/** SendSignal to a known run (R41, R42). */
export function sendSignal(
  request: SendSignalRequest,
  runId: string,
  limits: Limits,
): Decide<Run, RunEvent, SendSignalResponse> {
  const gate = requiredId("gate_name", request.gateName, limits);
  const resolution = json("resolution_json", request.resolutionJson, limits);
  return (run, context) => {
    mustBeWritable(run, runId, context);
    const answer = (accepted: boolean, runStatus: Status): SendSignalResponse => ({ accepted, runId, runStatus });
    if (isRepeat(run.requests, context)) return accept([], answer(true, run.status));
    if (hasEnded(run.status)) {
      throw refuse("RUN_ENDED", `run ${runId} takes no signals: it is ${run.status}`, {
        run_id: runId,
        status: run.status,
      });
    }
    const occurrence = openOccurrence(run, gate);
    if (occurrence === null) return accept([], answer(false, run.status));
    const events = deliver(run, gate, occurrence, resolution, context.now);
    return accept([...events, ...remember(context)], answer(true, events.length > 1 ? "RUNNABLE" : run.status));
  };
}
