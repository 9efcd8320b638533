import type { RowId } from "../../../src/model/row.ts";

/* What the journal says about a run, read a second time: from its entries and its head as people read them. */

/** An effect. */
export interface EffectRecord {
  readonly key: string;
  readonly semantics: string;
  readonly mode: string;
  readonly connector: string;
  readonly at: number;
  status: string;
  nextDispatchAtMs: number;
  attempts: number;
  externalRef: string;
  response: string;
  /** The outside world was asked in vain (R27). */
  isStuck: boolean;
  /** Who claimed it last, and until when, if nothing has happened to it since. */
  claim: Claim | null;
}

/** An obligation. */
export interface ObligationRecord {
  readonly seq: number;
  readonly name: string;
  readonly at: number;
  readonly maxAttempts: number;
  dueAtOnce: boolean;
  status: string;
  attempts: number;
  nextAttemptAtMs: number;
  claim: Claim | null;
}

/** Who works on something, and until when. */
export interface Claim {
  readonly by: string;
  readonly until: number;
}

/** A timer. */
interface TimerRecord {
  readonly kind: string;
  readonly fireAtMs: number;
  state: "set" | "fired" | "cancelled";
  readonly wasCancelled: boolean;
}

/** What is left of a run that was deleted. */
export interface DeletedRunHead {
  readonly kind: "deleted-run";
  readonly seq: number;
  readonly status: string;
  readonly epoch: number;
  readonly business_keys: readonly string[];
}

/** The parts of a run's head that are looked at. */
export interface RunHead {
  readonly kind: "run";
  readonly run_id: string;
  readonly app: string;
  readonly user: string;
  readonly session: string;
  readonly seq: number;
  readonly status: string;
  readonly epoch: number;
  readonly lease: { readonly owner: string; readonly expires_at_ms: number } | null;
  readonly waiting: { readonly gate: string; readonly occurrence: number } | null;
  readonly runnable_at_ms: number;
  readonly started_at_ms: number;
  readonly ended_at_ms: number;
  readonly compacted?: { readonly seq: number };
  readonly budget: { readonly tokens_spent: number; readonly usd_cap: number; readonly token_cap: number };
  readonly effects: readonly {
    readonly key: string;
    readonly claimed_by?: string;
    readonly claim_expires_at_ms?: number;
  }[];
  readonly obligations: readonly {
    readonly seq: number;
    readonly claimed_by: string;
    readonly claim_expires_at_ms: number;
  }[];
}

/** A run. */
export interface RunRecord {
  readonly row: RowId;
  head: RunHead | null;
  seq: number;
  status: string;
  readonly decisions: Map<number, string>;
  readonly effects: Map<string, EffectRecord>;
  readonly obligations: Map<number, ObligationRecord>;
  /** Gate to its answers. */
  readonly gates: Map<string, string[]>;
  /** Gates that were waited at, with the latest wait. */
  readonly awaited: Map<string, number>;
  readonly timers: Map<string, TimerRecord>;
  /** What was charged, amount by amount. */
  readonly charges: number[];
  /** Tools and scopes that were refused, as they were journaled (R21). */
  readonly denials: Set<string>;
  /** Epoch to the owner who had it. */
  readonly epochs: Map<number, string>;
  /** `<key> <claimer>` of every claim there ever was. */
  readonly claims: Set<string>;
  /** Every status it ever had. */
  readonly statuses: Set<string>;
  /** Business keys of its effects, with their connectors. */
  readonly ownedKeys: Set<string>;
  /** Payloads are gone up to this entry. */
  compactedSeq: number;
  deleted: boolean;
  /** Somebody has ended it while it was STUCK: what was not due by then never will be. */
  wasGivenUp: boolean;
}

/** A run of which nothing is known. */
export const emptyRun = (row: RowId): RunRecord => ({
  row,
  head: null,
  seq: 0,
  status: "",
  decisions: new Map(),
  effects: new Map(),
  obligations: new Map(),
  gates: new Map(),
  awaited: new Map(),
  timers: new Map(),
  charges: [],
  denials: new Set(),
  epochs: new Map(),
  claims: new Set(),
  statuses: new Set(),
  ownedKeys: new Set(),
  compactedSeq: 0,
  deleted: false,
  wasGivenUp: false,
});

const over: ReadonlySet<string> = new Set(["TERMINAL", "FAILED", "CANCELLED"]);

/** Whether a run in this status is over for good. */
export const isOver = (status: string): boolean => over.has(status);

/** Whether an effect in this status is settled for good. */
export const isSettled = (status: string): boolean => status === "CONFIRMED" || status === "FAILED";

/** The obligation that a drain works on. */
export function newestOpen(run: RunRecord): ObligationRecord | undefined {
  return [...run.obligations.values()].findLast(({ status }) => status !== "COMPENSATED");
}
