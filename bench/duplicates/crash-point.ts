/** The moments of a run with one tool call at which its agent is killed, in the order in which they come. */
export const crashPoints = [
  "before-model",
  "model-answered",
  "decision-recorded",
  "tool-entered",
  "request-sent",
  "acted",
  "tool-answered",
  "outcome-recorded",
] as const;

/**
 * Counted apart, because no journal alone can help: the request is still under way when the recovering process looks or
 * acts, and arrives afterwards.
 */
export const latePoint = "request-late";

/** A moment at which an agent is killed. */
export type CrashPoint = (typeof crashPoints)[number] | typeof latePoint;

/** All of them. */
export const allPoints: readonly CrashPoint[] = [...crashPoints, latePoint];

/** Each in words. */
export const crashPointWords: Readonly<Record<CrashPoint, string>> = {
  "before-model": "before the model is asked",
  "model-answered": "the model has answered, nothing of it is recorded",
  "decision-recorded": "the answer is recorded, the tool is not called yet",
  "tool-entered": "in the tool, before its request is sent",
  "request-sent": "the request has been received, is not acted on, and never will be",
  acted: "the world has acted, its answer is not out",
  "tool-answered": "the tool has its answer, which is not recorded",
  "outcome-recorded": "the outcome is recorded, the run has not ended",
  "request-late": "under way, and is acted on after the recovery",
};

/** Points at which the agent itself waits to be killed; at the others it waits for an answer of the world. */
export type AgentPoint = Exclude<CrashPoint, "request-sent" | "acted" | "request-late">;
