import { runIdOf } from "../../src/codec/row-id.ts";
import type { CallOptions } from "../../src/model/call.ts";
import type { EffectRecord } from "../../src/model/effect.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { Answer } from "./history.ts";
import type { RunInput } from "./models/run-state.ts";
import type { ValueInput } from "./models/value-model.ts";
import { refusal } from "./refusals.ts";

const app = "linearizability";
/** That every run is granted, so that it may have effects that are not to be repeated. */
const scope = "act";

/** Makes a call on the object of that name. `undefined`: its outcome is unknown. Rejects with what should never be answered. */
export async function perform(
  tape: Tape,
  object: string,
  input: ValueInput | RunInput,
  signal?: AbortSignal,
): Promise<Answer | undefined> {
  const options: CallOptions = { signal, requestId: "requestId" in input ? input.requestId : undefined };
  try {
    return isOnValue(input) ? await onValue(tape, object, input, options) : await onRun(tape, object, input, options);
  } catch (error) {
    return refusal(error);
  }
}

const valueCalls: ReadonlySet<string> = new Set(["write", "delete", "get"]);

const isOnValue = (input: ValueInput | RunInput): input is ValueInput => valueCalls.has(input.call);

async function onValue(tape: Tape, key: string, input: ValueInput, options: CallOptions): Promise<Answer> {
  const place = { namespace: app, key };
  switch (input.call) {
    case "write": {
      const { value: valueJson, ifVersion, writer } = input;
      const record = await tape.writeValue(
        { ...place, valueJson: JSON.stringify(valueJson), ifVersion, writer },
        options,
      );
      const { version, deleted } = record;
      return { version, deleted, value: parsed(record.valueJson), writer: record.writer };
    }
    case "delete": {
      const { deleted, version } = await tape.deleteValue(place, options);
      return { deleted, version };
    }
    case "get": {
      const { found, value } = await tape.getValue(place, options);
      return value === undefined
        ? { found }
        : { found, version: value.version, value: parsed(value.valueJson), writer: value.writer };
    }
    default:
      return input satisfies never;
  }
}

async function onRun(tape: Tape, name: string, input: RunInput, options: CallOptions): Promise<Answer> {
  const identity = { tenantId: "", appName: app, userId: "", sessionId: "", invocationId: name };
  const runId = runIdOf(identity);
  const effect = "effect" in input ? { runId, idempotencyKey: input.effect } : { runId, idempotencyKey: "" };
  switch (input.call) {
    case "begin": {
      const lease = { leaseOwner: input.owner, leaseTtlMs: input.ttlMs };
      const begun = await tape.beginRun({ ...identity, ...lease, scopes: [scope] }, options);
      return { status: begun.status, epoch: begun.leaseEpoch, existed: begun.resumed, seq: begun.nextSeq - 1 };
    }
    case "resume": {
      const { run, leaseEpoch } = await tape.resumeRun(
        { runId, leaseOwner: input.owner, leaseTtlMs: input.ttlMs },
        options,
      );
      return {
        status: run.status,
        epoch: leaseEpoch,
        owner: run.leaseOwner,
        gate: run.waitingOnGate,
        seq: run.seqCursor,
        expiresAtMs: run.leaseExpiresAtMs,
      };
    }
    case "getRun": {
      const run = await tape.getRun({ runId }, options);
      return {
        status: run.status,
        gate: run.waitingOnGate,
        owner: run.leaseOwner,
        seq: run.seqCursor,
        expiresAtMs: run.leaseExpiresAtMs,
      };
    }
    case "decide": {
      const decision = { runId, decisionIndex: input.index, responseJson: JSON.stringify(input.response) };
      const { seq, responseJson } = await tape.recordDecision(decision, { ...options, leaseEpoch: input.epoch });
      return { seq, response: parsed(responseJson) };
    }
    case "cancel": {
      const { run } = await tape.endRun({ runId, status: "CANCELLED" }, { ...options, leaseEpoch: input.epoch });
      return { status: run.status, seq: run.seqCursor };
    }
    case "await": {
      const { delivered, resolutionJson } = await tape.awaitSignal(
        { runId, gateName: input.gate },
        { ...options, leaseEpoch: input.epoch, gateOccurrence: input.occurrence },
      );
      return { delivered, resolution: parsed(resolutionJson) };
    }
    case "send": {
      const signalled = { runId, gateName: input.gate, resolutionJson: JSON.stringify(input.resolution) };
      const { accepted, runStatus } = await tape.sendSignal(signalled, options);
      return { accepted, status: runStatus };
    }
    case "intend": {
      const semantics = input.idempotent ? "IDEMPOTENT" : "NON_IDEMPOTENT";
      const intent = { runId, toolName: "act", customKey: input.effect, semantics, connector: "c", scope } as const;
      const { status, responseJson, seq } = await tape.beginEffect({ ...intent, dispatchMode: "OUTBOX" }, options);
      return { status, response: parsed(responseJson), seq };
    }
    case "claim": {
      const claimed = { ...effect, claimer: input.claimer, leaseTtlMs: input.ttlMs };
      const { acquired, effect: record } = await tape.claimEffectDispatch(claimed, options);
      return { acquired, ...standOf(record) };
    }
    case "attempt": {
      const attempt = { ...effect, error: input.error, nextDispatchAtMs: input.inDoubt ? 0 : 1 };
      return standOf(await tape.recordDispatchAttempt(attempt, { ...options, claimer: input.claimer }));
    }
    case "complete": {
      const { status, response } = input;
      return standOf(await tape.completeEffect({ ...effect, status, responseJson: JSON.stringify(response) }, options));
    }
    case "reconcile": {
      const settled = { ...effect, resolvedStatus: input.status, responseJson: JSON.stringify(input.response) };
      return standOf(await tape.reconcileEffect(settled, options));
    }
    case "getEffect": {
      const { found, effect: record } = await tape.getEffect(effect, options);
      return record === undefined ? { found } : { found, ...standOf(record) };
    }
    default:
      return input satisfies never;
  }
}

const standOf = (record: EffectRecord): Answer => ({
  status: record.status,
  claimer: record.dispatchClaimedBy,
  expiresAtMs: record.dispatchClaimExpiresAtMs,
  attempts: record.dispatchAttempts,
  error: record.lastDispatchError,
  response: parsed(record.responseJson),
});

const parsed = (json: string): string => (json === "" ? "" : String(JSON.parse(json)));
