/** Sets a durable wake-up (R45). */
export interface SetTimerRequest {
  readonly runId: string;
  /** Unique within the run; empty makes one. */
  readonly timerId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly fireAtMs: number;
  readonly kind: string;
  readonly payloadJson?: string | undefined;
}

/** A durable wake-up. */
export interface TimerRecord {
  readonly runId: string;
  /** Unique within the run. */
  readonly timerId: string;
  /** Milliseconds since 1970. */
  readonly fireAtMs: number;
  readonly kind: string;
  readonly payloadJson: string;
  readonly fired: boolean;
  readonly createdAtMs: number;
}

/** Removes an unfired timer. */
export interface CancelTimerRequest {
  readonly runId: string;
  /** Unique within the run. */
  readonly timerId: string;
}

/** Whether there was one to remove. */
export interface CancelTimerResponse {
  readonly cancelled: boolean;
}

/** Asks for due timers, or takes them (R46). */
export interface ListDueTimersRequest {
  /** Milliseconds since 1970; 0 or negative means now (R8). */
  readonly nowMs?: number | undefined;
  /** At most 1,000; 0 means 100. */
  readonly limit?: number | undefined;
  readonly claim?: boolean | undefined;
}

/** Due timers, oldest first. */
export interface ListDueTimersResponse {
  readonly timers: readonly TimerRecord[];
}
