import type { RunStatus } from "./run.ts";

/** Waits at a gate (R40). */
export interface AwaitSignalRequest {
  readonly runId: string;
  readonly gateName: string;
  readonly payloadJson?: string | undefined;
}

/** The answer, if it is there; otherwise the run is WAITING. */
export interface AwaitSignalResponse {
  readonly delivered: boolean;
  readonly resolutionJson: string;
}

/** Answers a gate, by run or by session (R42). */
export interface SendSignalRequest {
  readonly runId?: string | undefined;
  readonly appName?: string | undefined;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly gateName: string;
  readonly resolutionJson?: string | undefined;
}

/** Whether the signal was taken, and by which run. */
export interface SendSignalResponse {
  readonly accepted: boolean;
  readonly runId: string;
  readonly runStatus: RunStatus;
}
