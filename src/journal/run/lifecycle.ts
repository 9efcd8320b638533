import { runIdOf } from "../../codec/row-id.ts";
import { TapeError } from "../../errors.ts";
import type { BeginRunResult, ResumeRunResult } from "../../model/call.ts";
import type { BeginRunRequest, EndRunResponse, EndRunRequest, ResumeRunRequest, RunState } from "../../model/run.ts";
import { accept, fenceEvent, type Context, type Decide, type HeadEvent } from "../row.ts";
import type { Limits } from "../limits.ts";
import { json, oneOf, optionalId, requiredId } from "../validate.ts";
import { statusEvent, timerEvent, type RunEvent } from "./events.ts";
import { entriesIn, isRepeat, mustExist, mustNotBeFenced, notAllowed, refuse, remember } from "./guard.ts";
import { awaitsReconciling } from "./index-keys.ts";
import { leaseMs } from "./lease.ts";
import { businessKeyRef, effectStatusAt, hasEnded, type Run, type RunFacts, type Status } from "./run.ts";
import { businessKeyHash } from "./removal.ts";
import { runView } from "./views.ts";

/** A valid BeginRun: all but the time of the start. */
export interface BeginRun {
  readonly facts: Omit<RunFacts, "startedAtMs">;
  readonly owner: string;
  readonly leaseMs: number;
}

/** Validates a BeginRun; `tenantId` is what the caller's access makes of the tenant it asked for. */
export function beginRunCommand(request: BeginRunRequest, tenantId: string, limits: Limits): BeginRun {
  const id = (name: string, value: string | undefined): string => optionalId(name, value, limits);
  const { labels = {}, scopes = [] } = request;
  for (const [name, count] of [
    ["labels", Object.keys(labels).length],
    ["scopes", scopes.length],
  ] as const) {
    if (count > limits.labels) {
      throw new TapeError("COUNT_LIMIT", `${name} has ${count} items, the limit is ${limits.labels}`, {
        ids: { field: name, limit: String(limits.labels), size: String(count) },
      });
    }
  }
  const identity = {
    tenantId: id("tenant_id", tenantId),
    appName: requiredId("app_name", request.appName, limits),
    userId: id("user_id", request.userId),
    sessionId: id("session_id", request.sessionId),
    invocationId: requiredId("invocation_id", request.invocationId, limits),
  };
  return {
    facts: {
      ...identity,
      runId: runIdOf(identity),
      actor: id("actor", request.actor),
      subject: id("subject", request.subject),
      agentId: id("agent_id", request.agentId),
      aiplexInstanceId: id("aiplex_instance_id", request.aiplexInstanceId),
      gatewayRoute: id("gateway_route", request.gatewayRoute),
      scopes: scopes.map((scope) => requiredId("scopes", scope, limits)),
      labels: Object.fromEntries(
        Object.entries(labels).map(([key, value]) => [
          requiredId("labels key", key, limits),
          id("labels value", value),
        ]),
      ),
    },
    owner: id("lease_owner", request.leaseOwner),
    leaseMs: leaseMs(request.leaseTtlMs),
  };
}

/** Takes or renews the lease; refuses while another owner holds it. Adds `run/running` when the status changes. */
function takeLease(
  run: Run,
  facts: RunFacts,
  owner: string,
  ms: number,
  context: Context,
): { events: RunEvent[]; epoch: number } {
  const live = run.lease !== null && run.lease.expiresAtMs > context.now ? run.lease : null;
  if (live !== null && live.owner !== owner) {
    throw refuse(
      "LEASE_HELD",
      `run ${facts.runId} is held by ${live.owner} for another ${live.expiresAtMs - context.now} ms`,
      {
        run_id: facts.runId,
        holder: live.owner,
        lease_expires_at_ms: String(live.expiresAtMs),
      },
    );
  }
  const epoch = live === null ? run.epoch + 1 : run.epoch;
  const lease: RunEvent = { kind: "head/lease", lease: { owner, expiresAtMs: context.now + ms }, epoch };
  const starts = run.seq === 0 || run.status !== "RUNNING";
  return { epoch, events: starts ? [statusEvent(facts, "RUNNING"), lease] : [lease] };
}

/** BeginRun (R10). */
export const beginRun =
  ({ facts, owner, leaseMs: ms }: BeginRun): Decide<Run, RunEvent, BeginRunResult> =>
  (run, context) => {
    const { runId } = facts;
    if (run.seq === 0) {
      const all = { ...facts, startedAtMs: context.now };
      const { events, epoch } = takeLease(run, all, owner, ms, context);
      return accept([{ kind: "head/facts", facts: all }, ...events], {
        runId,
        resumed: false,
        nextSeq: 2,
        status: "RUNNING",
        leaseEpoch: epoch,
      });
    }
    if (run.status === "COMPENSATING" || run.status === "STUCK" || hasEnded(run.status)) {
      return accept([], { runId, resumed: true, nextSeq: run.seq + 1, status: run.status, leaseEpoch: 0 });
    }
    const { events, epoch } = takeLease(run, run.facts, owner, ms, context);
    const entries = entriesIn(events);
    return accept(events, {
      runId,
      resumed: true,
      nextSeq: run.seq + entries + 1,
      status: "RUNNING",
      leaseEpoch: epoch,
    });
  };

/** ResumeRun (R13): of several callers exactly one gets the lease. */
export function resumeRun(request: ResumeRunRequest, limits: Limits): Decide<Run, RunEvent, ResumeRunResult> {
  const runId = requiredId("run_id", request.runId, limits);
  const owner = optionalId("lease_owner", request.leaseOwner, limits);
  const ms = leaseMs(request.leaseTtlMs);
  return (run, context) => {
    mustExist(run, runId);
    if (hasEnded(run.status) || run.status === "COMPENSATING") {
      throw notAllowed(run, `run ${runId} cannot be resumed: it is ${run.status}`, { status: run.status });
    }
    if (run.status === "STUCK") mustHaveNothingStuck(run);
    const { events, epoch } = takeLease(run, run.facts, owner, ms, context);
    const entries = entriesIn(events);
    const resumed: RunState = {
      ...runView(run),
      status: "RUNNING",
      waitingOnGate: "",
      seqCursor: run.seq + entries,
      leaseOwner: owner,
      leaseExpiresAtMs: context.now + ms,
    };
    return accept(events, { run: resumed, leaseEpoch: epoch });
  };
}

function mustHaveNothingStuck(run: Run): void {
  const { runId } = run.facts;
  for (const seq of run.openObligations) {
    if (run.obligations.get(seq)?.status === "STUCK") {
      throw notAllowed(run, `run ${runId} cannot be resumed: obligation ${seq} is STUCK; resolve it first`, {
        obligation_seq: String(seq),
      });
    }
  }
  for (const key of run.openEffects) {
    if (run.effects.get(key)?.resolution === "STUCK") {
      throw notAllowed(run, `run ${runId} cannot be resumed: effect ${key} is STUCK; reconcile it first`, {
        idempotency_key: key,
      });
    }
  }
}

const endings = ["TERMINAL", "FAILED", "CANCELLED", "STUCK", "COMPENSATING"] as const;
type Ending = (typeof endings)[number];

/** Which endings the table of runs allows in which status. */
const allowedEndings: Readonly<Record<Status, readonly Ending[]>> = {
  RUNNABLE: endings,
  RUNNING: endings,
  WAITING: endings,
  COMPENSATING: [],
  STUCK: ["FAILED", "CANCELLED"],
  TERMINAL: [],
  FAILED: [],
  CANCELLED: [],
};

/** EndRun (R11). */
export function endRun(request: EndRunRequest, limits: Limits): Decide<Run, RunEvent, EndRunResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const status = oneOf("status", request.status, endings);
  const detail = json("detail_json", request.detailJson, limits);
  return (run, context) => {
    mustExist(run, runId);
    mustNotBeFenced(run, context);
    const drained = status === "COMPENSATING" && run.status === "FAILED" && run.draining;
    if (run.status === status || drained || isRepeat(run.requests, context)) return accept([], { run: runView(run) });
    if (!allowedEndings[run.status].includes(status)) {
      throw notAllowed(run, `run ${runId} cannot become ${status}: it is ${run.status}`, { status: run.status });
    }
    if (status === "TERMINAL") mustKnowAllEffects(run, context.now);
    const events: RunEvent[] = [statusEvent(run.facts, status, detail)];
    for (const id of run.unfiredTimers) {
      const timer = run.timers.get(id);
      if (timer !== undefined) events.push(timerEvent(run, "cancelled", timer));
    }
    const undone = status === "COMPENSATING" && run.openObligations.size === 0;
    if (undone) events.push(statusEvent(run.facts, "FAILED"));
    if (run.reconcileSinceMs > 0 && !hasToReconcile(run)) events.push({ kind: "head/reconcile-since", ms: 0 });
    const final = undone ? "FAILED" : status;
    const view: RunState = {
      ...runView(run),
      status: final,
      leaseOwner: "",
      leaseExpiresAtMs: 0,
      waitingOnGate: "",
      endedAtMs: hasEnded(final) ? context.now : 0,
      seqCursor: run.seq + entriesIn(events),
    };
    return accept([...events, ...remember(context)], { run: view });
  };
}

function hasToReconcile(run: Run): boolean {
  for (const key of run.openEffects) {
    const effect = run.effects.get(key);
    if (effect !== undefined && awaitsReconciling(effect)) return true;
  }
  return false;
}

function mustKnowAllEffects(run: Run, now: number): void {
  const unknown = [...run.openEffects].filter((key) => {
    const effect = run.effects.get(key);
    return effect !== undefined && effectStatusAt(effect, now) === "UNKNOWN";
  });
  if (unknown.length > 0) {
    const { runId } = run.facts;
    throw refuse(
      "EFFECTS_UNKNOWN",
      `run ${runId} cannot become TERMINAL: nobody knows whether ${unknown.length === 1 ? "an effect" : `${unknown.length} effects`} happened (${unknown.slice(0, 10).join(", ")}); reconcile first`,
      { run_id: runId, idempotency_keys: unknown.slice(0, 100).join("\n") },
    );
  }
}

/** GetRun. */
export const getRun =
  (runId: string): Decide<Run, RunEvent, RunState> =>
  (run) => {
    mustExist(run, runId);
    return accept([], runView(run));
  };

/** Looks whether a run has an effect of this business key; if not, keeps it from writing one unnoticed (R22). */
export const hasBusinessKey =
  (connector: string, businessKey: string): Decide<Run, RunEvent | HeadEvent<"fence">, boolean> =>
  (run) => {
    const ref = businessKeyRef(connector, businessKey);
    if (run.businessKeys.has(ref) || run.ownedKeys.has(businessKeyHash(ref))) return accept([], true);
    return accept(run.seq === 0 ? [] : [{ kind: fenceEvent }], false);
  };
