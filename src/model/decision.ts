/** Records one model call; the first write of an index wins (R15). */
export interface RecordDecisionRequest {
  readonly runId: string;
  /** From 0; negative means outside any decision, where allowed. */
  readonly decisionIndex: number;
  readonly model?: string | undefined;
  readonly requestJson?: string | undefined;
  readonly responseJson?: string | undefined;
  readonly rationale?: string | undefined;
  readonly policyVersion?: string | undefined;
}

/** A recorded model call. */
export interface DecisionRecord {
  readonly runId: string;
  readonly seq: number;
  /** From 0; negative means outside any decision, where allowed. */
  readonly decisionIndex: number;
  readonly model: string;
  readonly requestJson: string;
  readonly responseJson: string;
  readonly rationale: string;
  readonly policyVersion: string;
  /** Server's clock, milliseconds since 1970. */
  readonly tsMs: number;
}

/** Asks for one recorded model call. */
export interface GetDecisionRequest {
  readonly runId: string;
  /** From 0; negative means outside any decision, where allowed. */
  readonly decisionIndex: number;
}

/** The decision, if it was recorded (R16). */
export interface GetDecisionResponse {
  readonly found: boolean;
  readonly decision?: DecisionRecord | undefined;
}
