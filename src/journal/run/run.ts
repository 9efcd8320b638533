import type { Seq } from "../../model/row.ts";
import type { RunIdentity } from "../../codec/row-id.ts";
import type { EffectDispatchMode, EffectSemantics, EffectStatus } from "../../model/effect.ts";
import type { ObligationStatus } from "../../model/obligation.ts";
import type { RunStatus } from "../../model/run.ts";

/** A status that a run can really have. */
export type Status = Exclude<RunStatus, "UNSPECIFIED">;

/** What BeginRun fixed for ever. */
export interface RunFacts extends RunIdentity {
  readonly runId: string;
  readonly actor: string;
  readonly subject: string;
  readonly agentId: string;
  readonly aiplexInstanceId: string;
  readonly gatewayRoute: string;
  readonly scopes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly startedAtMs: number;
}

/** Temporary authority to extend the run. */
export interface Lease {
  readonly owner: string;
  readonly expiresAtMs: number;
}

/** One recorded model call; its texts are in the body of entry `seq`. */
export interface Decision {
  readonly index: number;
  readonly seq: Seq;
  readonly at: number;
  readonly model: string;
  readonly policyVersion: string;
  readonly rationale: string;
}

/** One act. Its request is in the body of entry `seq`; what answers brought is in the bodies of `answerSeqs`. */
export interface Effect {
  readonly key: string;
  readonly seq: Seq;
  readonly at: number;
  readonly decisionIndex: number;
  readonly tool: string;
  readonly semantics: Exclude<EffectSemantics, "UNSPECIFIED">;
  readonly mode: Exclude<EffectDispatchMode, "UNSPECIFIED">;
  readonly businessKey: string;
  readonly connector: string;
  readonly scope: string;
  status: Exclude<EffectStatus, "UNSPECIFIED">;
  attempts: number;
  nextDispatchAtMs: number;
  externalRef: string;
  lastError: string;
  /** In the head only, while the effect is open. */
  claim: Claim | null;
  /** What the last thing that happened to it was told of the outside world; empty when it was not an observation (R27). */
  resolution: string;
  /** When it was written down that nobody knows whether it happened; 0 unless it is UNKNOWN. */
  unknownAtMs: number;
  answerSeqs: readonly Seq[];
}

/** Who works on something, and until when. */
export interface Claim {
  readonly by: string;
  readonly expiresAtMs: number;
}

/** The promise of an inverse. Payload, compensator and attempt limit are in the body of entry `seq`. */
export interface Obligation {
  readonly seq: Seq;
  readonly at: number;
  readonly effectKey: string;
  readonly kind: string;
  /** Born of a DUPLICATE observation: due at once (R30). */
  dueAtOnce: boolean;
  status: Exclude<ObligationStatus, "UNSPECIFIED">;
  attempts: number;
  nextAttemptAtMs: number;
  lastError: string;
  /** In the head only, while COMMITTED. */
  claim: Claim | null;
  /** When it was given up; 0 unless it is STUCK. */
  stuckAtMs: number;
  resultSeq: Seq;
  /** What its body said beside the payload; in the head, once that body is gone (R75). */
  terms: ObligationTerms | null;
}

/** Who is to compensate, and how often to try. */
export interface ObligationTerms {
  readonly compensatorRef: string;
  readonly maxAttempts: number;
}

/** Which entry, and when. */
export interface Mark {
  readonly seq: Seq;
  readonly at: number;
}

/** A named waiting place. `answers[n - 1]` is the entry that answers occurrence n, `answeredAtMs[n - 1]` its time. */
export interface Gate {
  awaited: number;
  answers: Seq[];
  answeredAtMs: number[];
  /** The first entry by which an occurrence was waited for. */
  readonly waits: Map<number, Mark>;
}

/** A durable wake-up; its payload is in the body of entry `seq`. */
export interface Timer {
  readonly id: string;
  readonly kind: string;
  readonly fireAtMs: number;
  readonly createdAtMs: number;
  readonly seq: Seq;
  readonly state: "set" | "fired" | "cancelled";
}

/** Caps and spending; money in micro-dollars. A cap of 0 means none. */
interface Budget {
  readonly usdCap: number;
  readonly tokenCap: number;
  readonly usdSpent: number;
  readonly tokensSpent: number;
}

/**
 * A run as the rules see it: everything settled is folded from the entries, everything open and changing is in the
 * head. Owned by the engine, changed in place by `evolve`.
 */
export interface Run {
  /** Number of the last entry; 0: the run does not exist. */
  seq: Seq;
  facts: RunFacts;
  /** The facts as they stand in the head: written once, they are half of every head. */
  factsText: string;
  /** Name of the index of live runs of its session, without the partition; it never changes either. */
  liveIndex: string;
  /** Likewise, of the index of all runs of its app. */
  appIndex: string;
  /** Its key in the lists of runs; see `list-key.ts`. */
  listKey: string;
  status: Status;
  endedAtMs: number;
  /** Fencing number: +1 at every change of owner. */
  epoch: number;
  lease: Lease | null;
  waiting: { readonly gate: string; readonly occurrence: number } | null;
  /** Since when the run is RUNNABLE. */
  runnableAtMs: number;
  /** The run is being undone; survives STUCK. */
  draining: boolean;
  /** Since when it is STUCK; 0 unless it is. */
  stuckAtMs: number;
  /** The entries by which it came to stand as it does, since it was last RUNNING: one of them may have a detail. */
  endings: readonly Seq[];
  budget: Budget;
  /** Hashes of the last request ids, oldest first (R3). */
  requests: readonly string[];
  /** Lower bound of the start of effects to reconcile, 0 when there are none; see `index-keys.ts`. */
  reconcileSinceMs: number;
  readonly decisions: Map<number, Decision>;
  readonly effects: Map<string, Effect>;
  /** Keys of effects that are PENDING or UNKNOWN, oldest first. */
  readonly openEffects: Set<string>;
  /** Connector and business key to effect key (R22). */
  readonly businessKeys: Map<string, string>;
  /** In the order of registration. */
  readonly obligations: Map<Seq, Obligation>;
  /** Seqs of obligations that are not COMPENSATED, oldest first. */
  readonly openObligations: Set<Seq>;
  readonly gates: Map<string, Gate>;
  readonly timers: Map<string, Timer>;
  readonly unfiredTimers: Set<string>;
  /** Refs of denials already journaled (R21). */
  readonly denials: Set<string>;
  /** Entries up to this one have no bodies any more (R75). */
  compactedSeq: Seq;
  /** UTF-8 bytes of the payloads of the entries behind that one. */
  payloadBytes: number;
  /** When all but the outcome was removed; 0: it is all there. */
  deletedAtMs: number;
  /** Of a deleted run: hashes of the business keys that belong to its effects for ever (R22). */
  ownedKeys: ReadonlySet<string>;
}

const nobody: RunFacts = {
  runId: "",
  tenantId: "",
  appName: "",
  userId: "",
  sessionId: "",
  invocationId: "",
  actor: "",
  subject: "",
  agentId: "",
  aiplexInstanceId: "",
  gatewayRoute: "",
  scopes: [],
  labels: {},
  startedAtMs: 0,
};

/** The state of a run that does not exist. */
export const absentRun = (): Run => ({
  seq: 0,
  facts: nobody,
  factsText: "",
  liveIndex: "",
  appIndex: "",
  listKey: "",
  status: "RUNNABLE",
  endedAtMs: 0,
  epoch: 0,
  lease: null,
  waiting: null,
  runnableAtMs: 0,
  draining: false,
  stuckAtMs: 0,
  endings: [],
  budget: { usdCap: 0, tokenCap: 0, usdSpent: 0, tokensSpent: 0 },
  requests: [],
  reconcileSinceMs: 0,
  decisions: new Map(),
  effects: new Map(),
  openEffects: new Set(),
  businessKeys: new Map(),
  obligations: new Map(),
  openObligations: new Set(),
  gates: new Map(),
  timers: new Map(),
  unfiredTimers: new Set(),
  denials: new Set(),
  compactedSeq: 0,
  payloadBytes: 0,
  deletedAtMs: 0,
  ownedKeys: new Set(),
});

const ended: ReadonlySet<Status> = new Set<Status>(["TERMINAL", "FAILED", "CANCELLED"]);

/** Whether a run in this status is over for good. */
export const hasEnded = (status: Status): boolean => ended.has(status);

/**
 * Whether somebody may still have to do something about an obligation of a run that has ended. A promise that was never
 * due is none of those: it cannot become due any more (R30).
 */
export const isUnsettled = (obligation: Obligation): boolean =>
  obligation.status !== "COMPENSATED" && (obligation.dueAtOnce || obligation.status !== "PENDING");

/** Whether a run is over and nothing of it is open, so that its payloads are of no use to anybody's work (R75). */
export function isAtRest(run: Run): boolean {
  if (!hasEnded(run.status) || run.openEffects.size > 0 || run.deletedAtMs > 0) return false;
  for (const seq of run.openObligations) {
    const obligation = run.obligations.get(seq);
    if (obligation !== undefined && isUnsettled(obligation)) return false;
  }
  return true;
}

/** Map key of a business key within a run. */
export const businessKeyRef = (connector: string, businessKey: string): string =>
  JSON.stringify([connector, businessKey]);

/**
 * The status of an effect at a moment: a non-idempotent effect whose claim has expired is UNKNOWN from that instant,
 * also before anyone has written it down (R25).
 */
export const effectStatusAt = (effect: Effect, now: number): Effect["status"] =>
  effect.status === "PENDING" &&
  effect.claim !== null &&
  effect.semantics === "NON_IDEMPOTENT" &&
  effect.claim.expiresAtMs <= now
    ? "UNKNOWN"
    : effect.status;

/** The claim, if it is still alive. */
export const liveClaim = (claim: Claim | null, now: number): Claim | null =>
  claim !== null && claim.expiresAtMs > now ? claim : null;

/** The obligation that a drain works on: the newest that is not COMPENSATED (R31). */
function newestOpenObligation(run: Run): Obligation | undefined {
  let newest: Obligation | undefined;
  for (const seq of run.openObligations) newest = run.obligations.get(seq) ?? newest;
  return newest;
}

/** Obligations that someone should work on now or later, with those that are STUCK (R30, R31). */
export function dueObligations(run: Run): readonly Obligation[] {
  if (run.openObligations.size === 0) return [];
  const newest = run.status === "COMPENSATING" ? newestOpenObligation(run) : undefined;
  const due: Obligation[] = [];
  for (const seq of run.openObligations) {
    const obligation = run.obligations.get(seq);
    if (obligation !== undefined && (obligation.dueAtOnce || obligation === newest || obligation.status === "STUCK")) {
      due.push(obligation);
    }
  }
  return due;
}

/** Kinds that act in the commit that fires them (R46). */
export const builtInTimers: ReadonlySet<string> = new Set(["gate_timeout", "redrive"]);
