import type { HeadEvent, JournalEvent } from "../row.ts";
import { subjectSegment } from "../../codec/segment.ts";
import { dollars } from "../validate.ts";
import type { Seq } from "../../model/row.ts";
import type { Effect, Lease, Obligation, ObligationTerms, Run, RunFacts, Status } from "./run.ts";

/* Everything that can happen to a run. The `meta` types are the `payload_json` of rule R52, field for field. */

/** `run/<verb>` */
export interface RunMeta {
  readonly app: string;
  readonly user: string;
  readonly session: string;
  readonly run_id: string;
  readonly invocation_id: string;
  readonly status: Status;
  readonly tenant_id: string;
  readonly actor: string;
  readonly subject: string;
  readonly agent_id: string;
}

/** `decision/recorded` */
export interface DecisionMeta {
  readonly decision_index: number;
  readonly model: string;
  readonly policy_version: string;
  readonly rationale: string;
}

/** `effect/<verb>` */
export interface EffectMeta {
  readonly tool: string;
  readonly decision_index: number;
  readonly idempotency_key: string;
  readonly status: Effect["status"];
  readonly semantics: Effect["semantics"];
  readonly dispatch_mode: Effect["mode"];
  readonly business_key: string;
  readonly connector: string;
  readonly scope: string;
  readonly transition?: string;
  readonly claimer?: string;
  readonly dispatch_attempts?: number;
  readonly error?: string;
  readonly next_dispatch_at_ms?: number;
  readonly external_ref?: string;
  readonly resolution?: string;
}

/** `obligation/<verb>` */
export interface ObligationMeta {
  readonly obligation_seq: number;
  readonly effect_key: string;
  readonly kind: string;
  readonly status: Obligation["status"];
  readonly transition: string;
  readonly attempts: number;
  readonly error: string;
  readonly next_attempt_at_ms: number;
}

/** `gate/<verb>` */
export interface GateMeta {
  readonly gate: string;
  readonly occurrence: number;
  readonly status: "WAITING" | "RELEASED";
}

/** `timer/<verb>` */
export interface TimerMeta {
  readonly timer_id: string;
  readonly kind: string;
  readonly fire_at_ms: number;
}

/** `budget/charged`; dollars as on the wire. */
export interface BudgetMeta {
  readonly usd: number;
  readonly tokens: number;
  readonly usd_spent: number;
  readonly tokens_spent: number;
}

/** `policy/denied` */
export interface PolicyMeta {
  readonly tool: string;
  readonly decision_index: number;
  readonly required_scope: string;
  readonly granted_scopes: readonly string[];
  readonly violation: string;
}

/** Facts that become entries. */
export type RunJournalEvent =
  | JournalEvent<
      "run/running" | "run/terminal" | "run/failed" | "run/cancelled" | "run/stuck" | "run/compensating",
      RunMeta
    >
  | JournalEvent<"decision/recorded", DecisionMeta>
  | JournalEvent<
      "effect/pending" | "effect/claimed" | "effect/confirmed" | "effect/failed" | "effect/unknown" | "effect/observed",
      EffectMeta
    >
  | JournalEvent<
      "obligation/pending" | "obligation/committed" | "obligation/compensated" | "obligation/stuck",
      ObligationMeta
    >
  | JournalEvent<"gate/waiting" | "gate/released", GateMeta>
  | JournalEvent<"timer/set" | "timer/fired" | "timer/cancelled", TimerMeta>
  | JournalEvent<"budget/charged", BudgetMeta>
  | JournalEvent<"policy/denied", PolicyMeta>;

/** Facts that change the head alone. */
type RunHeadEvent =
  | (HeadEvent<"facts"> & { readonly facts: RunFacts })
  /** `epoch` is the new fencing number; `null` gives the lease up. */
  | (HeadEvent<"lease"> & { readonly lease: Lease | null; readonly epoch: number })
  | (HeadEvent<"runnable"> & { readonly at: number })
  | (HeadEvent<"claim-effect"> & { readonly key: string; readonly claim: Effect["claim"] })
  | (HeadEvent<"claim-obligation"> & { readonly seq: number; readonly claim: Obligation["claim"] })
  | (HeadEvent<"caps"> & { readonly usdCap: number; readonly tokenCap: number })
  | (HeadEvent<"request"> & { readonly hash: string })
  | (HeadEvent<"reconcile-since"> & { readonly ms: number })
  /** Payloads go; the terms of obligations stay. */
  | (HeadEvent<"compacted"> & { readonly terms: ReadonlyMap<Seq, ObligationTerms> })
  /** All but the outcome goes. */
  | (HeadEvent<"deleted"> & { readonly at: number });

/** Everything that can happen to a run. */
export type RunEvent = RunJournalEvent | RunHeadEvent;

const verbs = {
  RUNNING: "run/running",
  TERMINAL: "run/terminal",
  FAILED: "run/failed",
  CANCELLED: "run/cancelled",
  STUCK: "run/stuck",
  COMPENSATING: "run/compensating",
} as const;

/** The run's status changes. */
export function statusEvent(facts: RunFacts, status: keyof typeof verbs, detailJson = ""): RunEvent {
  const { appName, userId, sessionId, runId } = facts;
  return {
    kind: verbs[status],
    ref: "r",
    dims: [appName, userId, sessionId, runId].map(subjectSegment).join("/"),
    meta: {
      app: appName,
      user: userId,
      session: sessionId,
      run_id: runId,
      invocation_id: facts.invocationId,
      status,
      tenant_id: facts.tenantId,
      actor: facts.actor,
      subject: facts.subject,
      agent_id: facts.agentId,
    },
    ...(detailJson === "" ? {} : { body: [detailJson] }),
  };
}

const dims = (run: Run, first: string): string => `${subjectSegment(first)}/${run.facts.runId}`;

/** UTF-8 bytes of the payloads in an event's body: not of the terms of an obligation, which stand behind its payload. */
export function payloadBytes({ kind, body = [] }: RunJournalEvent): number {
  const payloads = kind.startsWith("obligation/") ? body.slice(0, 1) : body;
  return payloads.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** A model call was recorded. Body: request, response. */
export const decisionEvent = (run: Run, meta: DecisionMeta, request: string, response: string): RunEvent => ({
  kind: "decision/recorded",
  ref: `d/${meta.decision_index}`,
  dims: `${run.facts.runId}/${meta.decision_index}`,
  meta,
  body: [request, response],
});

/** What identifies an effect in its entries. */
export type EffectSubject = Pick<
  Effect,
  "key" | "tool" | "decisionIndex" | "semantics" | "mode" | "businessKey" | "connector" | "scope"
>;

/** Something happened to an effect. Body: the request of a new one, else response and error. */
export function effectEvent(
  run: Run,
  effect: EffectSubject,
  verb: "pending" | "claimed" | "confirmed" | "failed" | "unknown" | "observed",
  status: Effect["status"],
  brought: Partial<EffectMeta> = {},
  body?: readonly string[],
): RunEvent {
  return {
    kind: `effect/${verb}`,
    ref: `e/${effect.key}`,
    dims: dims(run, effect.tool),
    meta: {
      tool: effect.tool,
      decision_index: effect.decisionIndex,
      idempotency_key: effect.key,
      status,
      semantics: effect.semantics,
      dispatch_mode: effect.mode,
      business_key: effect.businessKey,
      connector: effect.connector,
      scope: effect.scope,
      ...brought,
    },
    ...(body === undefined || body.every((text) => text === "") ? {} : { body }),
  };
}

/** Something happened to an obligation. */
export function obligationEvent(
  run: Run,
  obligation: Pick<Obligation, "seq" | "effectKey" | "kind" | "attempts" | "lastError" | "nextAttemptAtMs">,
  verb: "pending" | "committed" | "compensated" | "stuck",
  transition: string,
  body?: readonly string[],
): RunEvent {
  const statuses = { pending: "PENDING", committed: "COMMITTED", compensated: "COMPENSATED", stuck: "STUCK" } as const;
  return {
    kind: `obligation/${verb}`,
    ref: `o/${obligation.seq}`,
    dims: dims(run, obligation.kind),
    meta: {
      obligation_seq: obligation.seq,
      effect_key: obligation.effectKey,
      kind: obligation.kind,
      status: statuses[verb],
      transition,
      attempts: obligation.attempts,
      error: obligation.lastError,
      next_attempt_at_ms: obligation.nextAttemptAtMs,
    },
    ...(body === undefined ? {} : { body }),
  };
}

/** A wait began (body: its payload) or was answered (body: the resolution). */
export const gateEvent = (
  run: Run,
  verb: "waiting" | "released",
  gate: string,
  occurrence: number,
  body: string,
): RunEvent => ({
  kind: `gate/${verb}`,
  ref: `g/${occurrence}/${gate}`,
  dims: dims(run, gate),
  meta: { gate, occurrence, status: verb === "waiting" ? "WAITING" : "RELEASED" },
  ...(body === "" ? {} : { body: [body] }),
});

/** A timer was set (body: its payload), fired or cancelled. */
export const timerEvent = (
  run: Run,
  verb: "set" | "fired" | "cancelled",
  timer: { readonly id: string; readonly kind: string; readonly fireAtMs: number },
  payload = "",
): RunEvent => ({
  kind: `timer/${verb}`,
  ref: `t/${timer.id}`,
  dims: dims(run, timer.kind),
  meta: { timer_id: timer.id, kind: timer.kind, fire_at_ms: timer.fireAtMs },
  ...(payload === "" ? {} : { body: [payload] }),
});

/** Money or tokens were spent; amounts in micro-dollars. */
export const chargeEvent = (run: Run, usd: number, tokens: number): RunEvent => ({
  kind: "budget/charged",
  ref: "b",
  dims: run.facts.runId,
  meta: {
    usd: dollars(usd),
    tokens,
    usd_spent: dollars(run.budget.usdSpent + usd),
    tokens_spent: run.budget.tokensSpent + tokens,
  },
});

/** A scope was not granted (R21). */
export const denialEvent = (run: Run, ref: string, meta: PolicyMeta): RunEvent => ({
  kind: "policy/denied",
  ref,
  dims: dims(run, meta.tool),
  meta,
});
