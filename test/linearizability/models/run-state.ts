import type { Answer, Operation } from "../history.ts";
import { says } from "./says.ts";
import type { Hold } from "./time.ts";

/** Calls on one run: its lease, writes under it, gates, and claims on its effects. */
export type RunInput =
  | { readonly call: "begin"; readonly owner: string; readonly ttlMs: number }
  | { readonly call: "resume"; readonly owner: string; readonly ttlMs: number }
  | { readonly call: "getRun" }
  | { readonly call: "decide"; readonly index: number; readonly response: string; readonly epoch?: number }
  | { readonly call: "cancel"; readonly epoch?: number; readonly requestId?: string }
  | { readonly call: "await"; readonly gate: string; readonly occurrence: number; readonly epoch?: number }
  | { readonly call: "send"; readonly gate: string; readonly resolution: string; readonly requestId?: string }
  | { readonly call: "intend"; readonly effect: string; readonly idempotent: boolean }
  | { readonly call: "claim"; readonly effect: string; readonly claimer: string; readonly ttlMs: number }
  | {
      readonly call: "attempt";
      readonly effect: string;
      readonly claimer: string;
      readonly error: string;
      /** The act may have happened: UNKNOWN. Otherwise it is due again at once. */
      readonly inDoubt: boolean;
      readonly requestId?: string;
    }
  | {
      readonly call: "complete" | "reconcile";
      readonly effect: string;
      readonly status: "CONFIRMED" | "FAILED" | "UNKNOWN";
      readonly response: string;
    }
  | { readonly call: "getEffect"; readonly effect: string };

/** One kind of call. */
export type Of<Call extends RunInput["call"]> = Extract<RunInput, { readonly call: Call }>;

/** Which wait on which gate. */
interface Wait {
  readonly gate: string;
  readonly occurrence: number;
}

/** An outbox effect. */
export interface EffectState {
  readonly idempotent: boolean;
  readonly seq: number;
  /** As it was written down; R25 may have made it UNKNOWN since. */
  readonly status: "PENDING" | "CONFIRMED" | "FAILED" | "UNKNOWN";
  readonly claim: Hold | null;
  readonly attempts: number;
  readonly error: string;
  readonly response: string;
}

/** A run as `docs/semantics.md` has it. */
export interface RunModelState {
  /** Of the last entry; 0: it does not exist. */
  readonly seq: number;
  readonly status: "RUNNING" | "WAITING" | "RUNNABLE" | "CANCELLED";
  readonly epoch: number;
  readonly lease: Hold | null;
  readonly waiting: Wait | null;
  readonly decisions: Readonly<Record<string, { readonly seq: number; readonly response: string }>>;
  readonly gates: Readonly<Record<string, { readonly awaited: number; readonly answers: readonly string[] }>>;
  readonly effects: Readonly<Record<string, EffectState>>;
  readonly requests: readonly string[];
}

export const absentRun: RunModelState = {
  seq: 0,
  status: "RUNNING",
  epoch: 0,
  lease: null,
  waiting: null,
  decisions: {},
  gates: {},
  effects: {},
  requests: [],
};

/** The run unchanged, if the call was answered so. */
export const stays = (run: RunModelState, operation: Operation<RunInput>, answer: Answer): readonly RunModelState[] =>
  says(operation, answer) ? [run] : [];

/**
 * The member that tells an answer's seq; none where a claim may expire that the server writes down by itself, at a moment
 * that nobody is told (R25).
 */
export function seqSaid(run: RunModelState, seq: number): Answer {
  return Object.values(run.effects).some(({ idempotent }) => !idempotent) ? {} : { seq };
}

/** Why a write is refused before anything else is looked at; `null`: it is not. */
export function unwritable(run: RunModelState, epoch: number | undefined): Answer | null {
  if (run.seq === 0) return { refused: "RUN_NOT_FOUND" };
  if (epoch === undefined || epoch === run.epoch) return null;
  return { refused: "EPOCH_STALE", epoch: run.epoch, holder: run.lease?.by ?? "" };
}
