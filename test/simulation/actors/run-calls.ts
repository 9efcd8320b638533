import type {
  BeginEffectResult,
  BeginRunResult,
  RecordDecisionResult,
  ResumeRunResult,
} from "../../../src/model/call.ts";
import type { BudgetState } from "../../../src/model/budget.ts";
import type { BeginEffectRequest, EffectRecord, GetEffectResponse } from "../../../src/model/effect.ts";
import type { AwaitSignalResponse, SendSignalRequest, SendSignalResponse } from "../../../src/model/gate.ts";
import type { ObligationRecord } from "../../../src/model/obligation.ts";
import type { EndRunResponse, RunState, RunStatus } from "../../../src/model/run.ts";
import type { CancelTimerResponse, SetTimerRequest, TimerRecord } from "../../../src/model/timer.ts";
import { leaseMs } from "../audit/run-head.ts";
import { isSettled } from "../audit/run-record.ts";
import { grantedScope } from "../audit/run-rules.ts";
import type { Promises } from "../audit/promises.ts";
import type { CallSpec } from "../world/network.ts";
import { appOf, sessionOf, userOf } from "./script.ts";

/** How often what was promised may be tried. */
export const promisedAttempts = 2;

/** What an agent sends along with every call on its run. */
export interface Holding {
  readonly leaseEpoch: number;
}

/** The calls of agents on their runs, each with what its answer promises. */
export class RunCalls {
  readonly #promises: Promises;

  constructor(promises: Promises) {
    this.#promises = promises;
  }

  begin(number: number, leaseOwner: string): CallSpec<BeginRunResult> {
    const request = {
      appName: appOf,
      userId: userOf,
      sessionId: sessionOf(number),
      invocationId: `run-${number}`,
      leaseOwner,
      leaseTtlMs: leaseMs,
      scopes: [grantedScope],
    };
    return {
      method: "BeginRun",
      about: `run-${number}`,
      send: (tape, options) => tape.beginRun(request, options),
      check: () => (answer) => {
        const { runId, leaseEpoch, status } = answer;
        const run = this.#promises.run(runId);
        this.#promises.durable(run.statuses.has(status), `${runId} ${status}`);
        this.#lease(runId, leaseOwner, leaseEpoch);
      },
    };
  }

  resume(runId: string, leaseOwner: string): CallSpec<ResumeRunResult> {
    return {
      method: "ResumeRun",
      about: runId,
      send: (tape, options) => tape.resumeRun({ runId, leaseOwner, leaseTtlMs: leaseMs }, options),
      check: () => {
        const notOlder = this.#promises.notOlder(runId);
        return ({ run, leaseEpoch }) => {
          notOlder(run.seqCursor);
          this.#lease(runId, leaseOwner, leaseEpoch);
        };
      },
    };
  }

  /** An answer that gives a lease. */
  #lease(runId: string, owner: string, epoch: number): void {
    if (epoch === 0) return;
    const { epochs, head } = this.#promises.run(runId);
    this.#promises.durable((head?.epoch ?? 0) >= epoch, `epoch ${epoch} of ${runId}`);
    // A lease that was given up in the commit that gave it is in no head.
    const holder = epochs.get(epoch) ?? owner;
    epochs.set(epoch, holder);
    this.#promises.must(
      holder === owner,
      "lease-is-exclusive",
      () => `${owner} was given epoch ${epoch} of ${runId}, which is ${holder}'s`,
    );
  }

  get(runId: string): CallSpec<RunState> {
    return {
      method: "GetRun",
      about: runId,
      send: (tape, options) => tape.getRun({ runId }, options),
      check: () => {
        const notOlder = this.#promises.notOlder(runId);
        return ({ seqCursor }) => {
          notOlder(seqCursor);
        };
      },
    };
  }

  decide(runId: string, decisionIndex: number, answer: string, options: Holding): CallSpec<RecordDecisionResult> {
    const request = { runId, decisionIndex, model: "m", requestJson: '"?"', responseJson: answer };
    return {
      method: "RecordDecision",
      about: `${decisionIndex} of ${runId}`,
      options,
      send: (tape, sent) => tape.recordDecision(request, sent),
      check: () => (decision) => {
        const { decisions, compactedSeq } = this.#promises.run(runId);
        const isGone = compactedSeq > 0 && decision.responseJson === "";
        const isRecorded = decisions.get(decisionIndex) === decision.responseJson;
        this.#promises.durable(
          isRecorded || (isGone && decisions.has(decisionIndex)),
          `decision ${decisionIndex} of ${runId}`,
        );
      },
    };
  }

  beginEffect(request: BeginEffectRequest, options: Holding): CallSpec<BeginEffectResult> {
    const { runId, customKey = "" } = request;
    return {
      method: "BeginEffect",
      about: `${customKey} of ${runId}`,
      options,
      send: (tape, sent) => tape.beginEffect(request, sent),
      check: () => {
        const notOlder = this.#promises.notOlderEffect(runId, customKey);
        return ({ status, idempotencyKey }) => {
          this.#effect(runId, idempotencyKey, status);
          if (idempotencyKey === customKey) notOlder(status);
        };
      },
    };
  }

  getEffect(runId: string, idempotencyKey: string): CallSpec<GetEffectResponse> {
    return {
      method: "GetEffect",
      about: `${idempotencyKey} of ${runId}`,
      send: (tape, options) => tape.getEffect({ runId, idempotencyKey }, options),
      check: () => {
        const notOlder = this.#promises.notOlderEffect(runId, idempotencyKey);
        const wasGone = this.#promises.run(runId).compactedSeq > 0;
        return ({ effect }) => {
          if (effect === undefined) return;
          this.#promises.must(
            !wasGone || effect.requestJson + effect.responseJson === "",
            "removed-stays-taken",
            () => `${runId} is compacted, but effect ${idempotencyKey} is told as ${JSON.stringify(effect)}`,
          );
          this.#effect(runId, idempotencyKey, effect.status);
          notOlder(effect.status);
        };
      },
    };
  }

  /** CompleteEffect, with what became of the act. */
  complete(
    runId: string,
    idempotencyKey: string,
    status: "CONFIRMED" | "FAILED" | "UNKNOWN",
    options: Holding,
  ): CallSpec<EffectRecord> {
    const request = { runId, idempotencyKey, status, responseJson: `"${status} by agent"` };
    return {
      method: "CompleteEffect",
      about: `${idempotencyKey} of ${runId}, ${status}`,
      options,
      send: (tape, sent) => tape.completeEffect(request, sent),
      check: () => (effect) => {
        this.#effect(runId, idempotencyKey, effect.status);
      },
    };
  }

  /** What an answer says of an effect: what is settled is so in the store, and stays so. */
  #effect(runId: string, key: string, status: string): void {
    const known = this.#promises.run(runId).effects.get(key);
    this.#promises.durable(known !== undefined, `effect ${key} of ${runId}`);
    if (isSettled(status)) this.#promises.durable(known?.status === status, `effect ${key} of ${runId}, ${status}`);
  }

  /** RegisterCompensation. */
  promise(runId: string, effectKey: string, options: Holding): CallSpec<ObligationRecord> {
    return {
      method: "RegisterCompensation",
      about: `undo of ${effectKey} of ${runId}`,
      options,
      send: (tape, sent) =>
        tape.registerCompensation({ runId, effectKey, kind: "undo", maxAttempts: promisedAttempts }, sent),
      check:
        () =>
        ({ seq }) => {
          this.#promises.durable(this.#promises.run(runId).obligations.has(seq), `obligation ${seq} of ${runId}`);
        },
    };
  }

  charge(runId: string, tokens: number, options: Holding & { readonly requestId?: string }): CallSpec<BudgetState> {
    return {
      method: "ChargeBudget",
      about: `${tokens} tokens to ${runId}`,
      options,
      retry: options.requestId !== undefined,
      send: (tape, sent) => tape.chargeBudget({ runId, tokens, usd: tokens / 1e6 }, sent),
      check: () => (budget) => {
        const { charges } = this.#promises.run(runId);
        this.#promises.durable(charges.includes(tokens), `the charge of ${tokens} tokens to ${runId}`);
        this.#promises.must(
          Math.round(budget.usdSpent * 1e6) === budget.tokensSpent,
          "charged-once",
          () => `${runId} has ${budget.usdSpent} USD and ${budget.tokensSpent} tokens spent, charged together`,
        );
      },
    };
  }

  wait(
    runId: string,
    gateName: string,
    options: Holding & { readonly gateOccurrence: number },
  ): CallSpec<AwaitSignalResponse> {
    const place = options.gateOccurrence - 1;
    return {
      method: "AwaitSignal",
      about: `${gateName} of ${runId}`,
      options,
      send: (tape, sent) => tape.awaitSignal({ runId, gateName }, sent),
      check: () => {
        const before = this.#promises.run(runId).gates.get(gateName)?.[place];
        return ({ delivered, resolutionJson }) => {
          const { gates, compactedSeq } = this.#promises.run(runId);
          const now = gates.get(gateName)?.[place];
          const isGone = compactedSeq > 0 && resolutionJson === "" && now !== undefined;
          if (delivered)
            this.#promises.durable(isGone || now === resolutionJson, `the answer of ${gateName} of ${runId}`);
          this.#promises.must(
            delivered || before === undefined,
            "read-sees-acknowledged",
            () => `${gateName} of ${runId} had its answer when the call came, but it waits`,
          );
        };
      },
    };
  }

  signal(request: SendSignalRequest, requestId: string): CallSpec<SendSignalResponse> {
    const { gateName, resolutionJson = "" } = request;
    return {
      method: "SendSignal",
      about: `${resolutionJson} to ${gateName} of ${request.runId ?? request.sessionId ?? ""}`,
      options: { requestId },
      send: (tape, options) => tape.sendSignal(request, options),
      check:
        () =>
        ({ accepted, runId }) => {
          if (!accepted) return;
          const answers = this.#promises.run(runId).gates.get(gateName) ?? [];
          this.#promises.durable(
            answers.includes(resolutionJson),
            `signal ${resolutionJson} to ${gateName} of ${runId}`,
          );
        },
    };
  }

  setTimer(request: SetTimerRequest, options: Holding): CallSpec<TimerRecord> {
    const { runId, timerId = "" } = request;
    return {
      method: "SetTimer",
      about: `${timerId} of ${runId}`,
      options,
      send: (tape, sent) => tape.setTimer(request, sent),
      check: () => () => {
        this.#promises.durable(this.#promises.run(runId).timers.has(timerId), `timer ${timerId} of ${runId}`);
      },
    };
  }

  cancelTimer(runId: string, timerId: string, options: Holding): CallSpec<CancelTimerResponse> {
    return {
      method: "CancelTimer",
      about: `${timerId} of ${runId}`,
      options,
      send: (tape, sent) => tape.cancelTimer({ runId, timerId }, sent),
      check:
        () =>
        ({ cancelled }) => {
          const known = this.#promises.run(runId).timers.get(timerId);
          this.#promises.durable(!cancelled || known?.wasCancelled === true, `timer ${timerId} of ${runId}, cancelled`);
        },
    };
  }

  end(
    runId: string,
    status: RunStatus,
    options: { readonly leaseEpoch?: number; readonly requestId: string },
  ): CallSpec<EndRunResponse> {
    return {
      method: "EndRun",
      about: `${runId}, ${status}`,
      options,
      send: (tape, sent) => tape.endRun({ runId, status }, sent),
      check: () => {
        const notOlder = this.#promises.notOlder(runId);
        return ({ run }) => {
          notOlder(run.seqCursor);
          this.#promises.durable(this.#promises.run(runId).statuses.has(run.status), `${runId} ${run.status}`);
        };
      },
    };
  }
}
