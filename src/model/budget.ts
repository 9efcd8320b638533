/** Sets the caps of a run; spending stays (R36). */
export interface SetBudgetRequest {
  readonly runId: string;
  /** Dollars; 0 or negative means no cap. */
  readonly usdCap?: number | undefined;
  /** 0 or negative means no cap. */
  readonly tokenCap?: number | undefined;
}

/** Asks whether an estimated cost still fits (R36). */
export interface AdmitBudgetRequest {
  readonly runId: string;
  /** Dollars. */
  readonly usdEstimate?: number | undefined;
  readonly tokenEstimate?: number | undefined;
}

/** The answer, with the reason when it does not fit. */
export interface AdmitBudgetResponse {
  readonly admitted: boolean;
  readonly reason: string;
  readonly budget: BudgetState;
}

/** Adds to the spending of a run (R36). */
export interface ChargeBudgetRequest {
  readonly runId: string;
  /** Dollars, rounded to a millionth. */
  readonly usd?: number | undefined;
  readonly tokens?: number | undefined;
}

/** Caps and spending of a run. A cap of 0 means none (R35). */
export interface BudgetState {
  readonly runId: string;
  /** Dollars; 0 or negative means no cap. */
  readonly usdCap: number;
  /** 0 or negative means no cap. */
  readonly tokenCap: number;
  readonly usdSpent: number;
  readonly tokensSpent: number;
}
