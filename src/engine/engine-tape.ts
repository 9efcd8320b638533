import { indexName, partitionOf, type Partition } from "../codec/row-id.ts";
import { TapeError, toTapeError } from "../errors.ts";
import type { Limits } from "../journal/limits.ts";
import * as budget from "../journal/run/budget.ts";
import * as compaction from "../journal/run/compaction.ts";
import * as decisions from "../journal/run/decisions.ts";
import * as dispatch from "../journal/run/dispatch.ts";
import * as due from "../journal/run/due.ts";
import * as effects from "../journal/run/effects.ts";
import type { RunEvent } from "../journal/run/events.ts";
import * as gates from "../journal/run/gates.ts";
import * as lifecycle from "../journal/run/lifecycle.ts";
import * as obligations from "../journal/run/obligations.ts";
import type { Run } from "../journal/run/run.ts";
import * as timers from "../journal/run/timers.ts";
import type { Decide } from "../journal/row.ts";
import { integer, optionalId, pageSize, requiredId } from "../journal/validate.ts";
import * as values from "../journal/value/value.ts";
import { valueRow } from "../codec/row-id.ts";
import type { Access } from "../model/access.ts";
import type { CallOptions } from "../model/call.ts";
import type { SendSignalRequest, SendSignalResponse } from "../model/gate.ts";
import type { Tape } from "../model/tape.ts";
import type { TimerRecord } from "../model/timer.ts";
import type { Store } from "../store/store.ts";
import { engineInspect } from "./inspect/engine-inspect.ts";
import { runTarget } from "./business-keys.ts";
import { callOf, patient } from "./call.ts";
import type { Clock } from "./clock.ts";
import { listDue, type DueQuery } from "./due-lists.ts";
import type { FeedEnd } from "./feed-end.ts";
import type { IdSource } from "./id-source.ts";
import { whole } from "./page.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Target } from "./slot-cache.ts";
import { Reactions } from "./reactions.ts";
import { Sessions } from "./sessions.ts";
import { findSignalled } from "./signal-routing.ts";
import { checkScopes, tenantOf } from "./tenant.ts";
import { subscribeBySubject, subscribeEvents, subscribeRun, watchValue, type StreamPorts } from "./streams.ts";
import { Tasks } from "./tasks.ts";
import type { Wakeups } from "./wakeups.ts";

/** What the calls of all tenants share. */
export interface EnginePorts {
  readonly pipeline: Pipeline;
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly limits: Limits;
  readonly wakeups: Wakeups;
  readonly feedEnd: FeedEnd;
  readonly closing: AbortSignal;
  /** Of the server, or of the library. */
  readonly version: string;
}

type Options = CallOptions | undefined;

/** Tape for one caller: every call is checked, bound to the caller's rows, and put through the pipeline. */
export function engineTape(ports: EnginePorts, access: Access): Tape {
  const { pipeline, store, clock, ids, limits } = ports;
  const partition: Partition = partitionOf(access.partition);
  const sessions = new Sessions(pipeline, store, ids, limits, partition);
  const reactions = new Reactions(ports, partition);
  const tasks = new Tasks(ports, partition);
  const streams: StreamPorts = { ...ports, partition };

  /** A call: checks and execution inside one promise, errors as TapeError, given up when the caller does. */
  const call = <T>(options: Options, work: () => Promise<T>): Promise<T> => {
    try {
      return patient(work(), options);
    } catch (error) {
      return Promise.reject(toTapeError(error));
    }
  };

  /** A call on one run. */
  const onRun = <T>(
    method: string,
    request: { readonly runId: string },
    options: Options,
    decide: Decide<Run, RunEvent, T>,
  ): Promise<T> =>
    pipeline.execute(
      runTarget(partition, requiredId("run_id", request.runId, limits)),
      decide,
      callOf(method, options, ids, limits),
    );

  /** Makes the method for a call on one run out of its decision. */
  const runCall =
    <R extends { readonly runId: string }, T>(
      method: string,
      decide: (request: R, limits: Limits) => Decide<Run, RunEvent, T>,
    ): ((request: R, options?: CallOptions) => Promise<T>) =>
    (request, options) =>
      call(options, () => onRun(method, request, options, decide(request, limits)));

  const valueCall =
    <R extends { readonly namespace: string; readonly key: string }, T>(
      method: string,
      decide: (request: R, limits: Limits) => Decide<values.Value, values.ValueRowEvent, T>,
    ): ((request: R, options?: CallOptions) => Promise<T>) =>
    (request, options) =>
      call(options, () => {
        const decided = decide(request, limits);
        const row = valueRow(partition, request.namespace, request.key);
        const target: Target<values.Value, values.ValueRowEvent> = { row, partition, rules: values.valueRules };
        return pipeline.execute(target, decided, callOf(method, options, ids, limits));
      });

  const list = <T>(query: Omit<DueQuery<T>, "partition" | "limits">): Promise<readonly T[]> =>
    listDue(pipeline, store, { ...query, partition, limits });

  const at = (nowMs: number | undefined): number => {
    const now = integer("now_ms", nowMs);
    return now <= 0 ? clock.now() : now;
  };

  async function sendSignal(request: SendSignalRequest, options: Options): Promise<SendSignalResponse> {
    const given = optionalId("run_id", request.runId, limits);
    const context = callOf("SendSignal", options, ids, limits);
    if (given !== "") {
      return pipeline.execute(runTarget(partition, given), gates.sendSignal(request, given, limits), context);
    }
    requiredId("gate_name", request.gateName, limits);
    const names = {
      appName: requiredId("app_name", request.appName, limits),
      userId: optionalId("user_id", request.userId, limits),
      sessionId: optionalId("session_id", request.sessionId, limits),
    };
    const index = indexName(partition, "live", names.appName, names.userId, names.sessionId);
    for (;;) {
      const runId = await findSignalled(pipeline, store, {
        partition,
        index,
        names,
        gate: request.gateName,
        call: context,
      });
      try {
        return await pipeline.execute(runTarget(partition, runId), gates.sendSignal(request, runId, limits), context);
      } catch (error) {
        // It ended between the search and the signal: the next search no longer finds it.
        if (!(error instanceof TapeError) || error.reason !== "RUN_ENDED") throw error;
      }
    }
  }

  async function listDueTimers(request: Parameters<Tape["listDueTimers"]>[0] = {}): Promise<readonly TimerRecord[]> {
    const limit = pageSize(request.limit, limits);
    const untilMs = at(request.nowMs);
    const query = { index: ["timer"], untilMs, limit, list: due.fireable(limit, untilMs) } as const;
    if (request.claim !== true) return list<TimerRecord>(query);
    const found = await list<TimerRecord>(query);
    const wanted = new Map<string, string[]>();
    for (const { runId, timerId } of found) wanted.set(runId, [...(wanted.get(runId) ?? []), timerId]);
    const taken = await Promise.allSettled(
      Array.from(wanted, ([runId, timerIds]) =>
        onRun("ListDueTimers", { runId }, undefined, timers.takeTimers(timerIds, untilMs)),
      ),
    );
    // What was taken is answered even when another run could not be asked: it is handed out once.
    const records = taken.flatMap((outcome) => (outcome.status === "fulfilled" ? outcome.value : []));
    const failed = taken.find((outcome) => outcome.status === "rejected");
    if (records.length === 0 && failed !== undefined) throw failed.reason;
    return records.toSorted((a, b) => a.fireAtMs - b.fireAtMs);
  }

  const pendingDefaults = (request: { includePending?: boolean | undefined; includeUnknown?: boolean | undefined }) => {
    const any = request.includePending === true || request.includeUnknown === true;
    return { pending: !any || request.includePending === true, unknown: !any || request.includeUnknown === true };
  };

  const tape: Tape = {
    inspect: engineInspect({ ...ports, access, partition }),

    beginRun: (request, options) =>
      call(options, () => {
        const command = lifecycle.beginRunCommand(request, tenantOf(access, request.tenantId ?? ""), limits);
        const { runId, scopes } = command.facts;
        checkScopes(access, scopes);
        return onRun("BeginRun", { runId }, options, lifecycle.beginRun(command));
      }),
    resumeRun: runCall("ResumeRun", lifecycle.resumeRun),
    endRun: runCall("EndRun", lifecycle.endRun),
    getRun: runCall("GetRun", (request) => lifecycle.getRun(request.runId)),
    listRunsToRecover: (request = {}, options) =>
      call(options, async () => {
        const untilMs = at(request.nowMs);
        const limit = pageSize(request.limit, limits);
        return { runs: await list({ index: ["recover"], untilMs, limit, list: due.recoverable(untilMs) }) };
      }),
    subscribeRun: (request, options) => subscribeRun(streams, request, options?.signal),

    recordDecision: runCall("RecordDecision", decisions.recordDecision),
    getDecision: runCall("GetDecision", decisions.getDecision),

    beginEffect: runCall("BeginEffect", effects.beginEffect),
    completeEffect: runCall("CompleteEffect", effects.completeEffect),
    getEffect: runCall("GetEffect", effects.getEffect),
    reconcileEffect: runCall("ReconcileEffect", effects.reconcileEffect),
    listEffectsToDispatch: (request = {}, options) =>
      call(options, async () => {
        const connector = optionalId("connector", request.connector, limits);
        const untilMs = at(request.nowMs);
        const limit = pageSize(request.limit, limits);
        const index = connector === "" ? (["dispatch"] as const) : (["dispatch", connector] as const);
        return { effects: await list({ index, untilMs, limit, list: due.dispatchable(connector, limit, untilMs) }) };
      }),
    claimEffectDispatch: runCall("ClaimEffectDispatch", dispatch.claimEffectDispatch),
    recordDispatchAttempt: runCall("RecordDispatchAttempt", dispatch.recordDispatchAttempt),
    recordExternalObservation: runCall("RecordExternalObservation", dispatch.recordExternalObservation),
    listPendingEffects: (request = {}, options) =>
      call(options, async () => {
        const limit = pageSize(request.limit, limits);
        const olderThanMs = Math.max(0, integer("older_than_ms", request.olderThanMs));
        const wanted = due.pending({ ...pendingDefaults(request), olderThanMs }, limit);
        return {
          effects: await list({
            index: ["reconcile"],
            untilMs: clock.now(),
            limit,
            list: wanted,
            tidy: due.tidyReconcile,
          }),
        };
      }),

    registerCompensation: runCall("RegisterCompensation", obligations.registerCompensation),
    listObligations: async (request, options) => {
      const answer = await runCall("ListObligations", obligations.listObligations)(request, options);
      return whole(answer, limits, "ask for the unresolved ones, or for those of one status");
    },
    resolveObligation: runCall("ResolveObligation", obligations.resolveObligation),
    listUnresolvedObligations: (request = {}, options) =>
      call(options, async () => {
        const { includePending = false, includeStuck = false, includeCommittedExpired = false } = request;
        const any = includePending || includeStuck || includeCommittedExpired;
        const wanted = {
          pending: includePending || !any,
          stuck: includeStuck,
          committedExpired: includeCommittedExpired || !any,
        };
        const untilMs = at(request.nowMs);
        const limit = pageSize(request.limit, limits);
        return {
          obligations: await list({
            index: ["compensate"],
            untilMs,
            limit,
            list: due.unresolved(wanted, limit, untilMs),
          }),
        };
      }),
    claimObligation: runCall("ClaimObligation", obligations.claimObligation),
    recordObligationAttempt: runCall("RecordObligationAttempt", obligations.recordObligationAttempt),

    setBudget: runCall("SetBudget", budget.setBudget),
    admitBudget: runCall("AdmitBudget", budget.admitBudget),
    chargeBudget: runCall("ChargeBudget", budget.chargeBudget),

    awaitSignal: runCall("AwaitSignal", gates.awaitSignal),
    sendSignal: (request, options) => call(options, () => sendSignal(request, options)),

    setTimer: runCall("SetTimer", timers.setTimer),
    cancelTimer: runCall("CancelTimer", timers.cancelTimer),
    listDueTimers: (request = {}, options) => call(options, async () => ({ timers: await listDueTimers(request) })),

    listCompactableRuns: (request = {}, options) =>
      call(options, async () => {
        const limit = pageSize(request.limit, limits);
        const beforeMs = integer("before_ms", request.beforeMs);
        const untilMs = beforeMs <= 0 ? clock.now() : beforeMs - 1;
        return { runs: await list({ index: ["compact"], untilMs, limit, list: due.compactable(untilMs) }) };
      }),
    compactRun: runCall("CompactRun", compaction.compactRun),

    subscribeEvents: (request, options) => subscribeEvents(streams, request, options?.signal),
    subscribeBySubject: (request, options) => subscribeBySubject(streams, request, options?.signal),
    registerReaction: (request, options) => call(options, () => reactions.register(request, tenantOf(access, ""))),
    deregisterReaction: (request, options) =>
      call(options, () => reactions.deregister(request, callOf("DeregisterReaction", options, ids, limits))),
    listReactions: (request = {}, options) =>
      call(options, async () => whole(await reactions.list(request), limits, "ask for a narrower subject pattern")),
    claimTasks: (request, options) =>
      call(options, async () => ({ tasks: await tasks.claim(request, callOf("ClaimTasks", options, ids, limits)) })),
    completeTask: (request, options) =>
      call(options, async () => ({
        task: await tasks.complete(request, callOf("CompleteTask", options, ids, limits)),
      })),
    nackTask: (request, options) =>
      call(options, async () => ({ task: await tasks.nack(request, callOf("NackTask", options, ids, limits)) })),
    listTasks: (request = {}, options) => call(options, async () => ({ tasks: await tasks.list(request) })),

    writeValue: valueCall("WriteValue", values.writeValue),
    getValue: valueCall("GetValue", values.getValue),
    watchValue: (request, options) => watchValue(streams, request, options?.signal),
    deleteValue: valueCall("DeleteValue", values.deleteValue),

    createSession: (request, options) =>
      call(options, () => sessions.create(request, callOf("CreateSession", options, ids, limits))),
    getSession: (request, options) =>
      call(options, async () => whole(await sessions.get(request), limits, "ask for fewer events")),
    listSessions: (request, options) => call(options, () => sessions.list(request)),
    deleteSession: (request, options) =>
      call(options, () => sessions.delete(request, callOf("DeleteSession", options, ids, limits))),
    appendEvent: (request, options) =>
      call(options, () => sessions.append(request, callOf("AppendEvent", options, ids, limits))),

    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return tape;
}
