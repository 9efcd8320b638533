import { TapeError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { AppendEventRequest } from "../model/session.ts";
import type { SetTimerRequest } from "../model/timer.ts";
import type { RpcName, RpcRequest } from "../rpc/rpc-methods.ts";
import type { Metadata } from "./transport.ts";

/**
 * Calls whose repetition nothing in the request gives away, so that they need a request id (R3). A conditional
 * WriteValue and a CreateSession with state are among them: the first attempt would make the second one fail.
 */
const unnamedCalls: { readonly [Name in RpcName]?: (request: RpcRequest<Name>) => boolean } = {
  endRun: always,
  recordDispatchAttempt: always,
  recordExternalObservation: always,
  recordObligationAttempt: always,
  setBudget: always,
  chargeBudget: always,
  sendSignal: always,
  writeValue: always,
  deleteValue: always,
  createSession: always,
  deleteSession: always,
  setTimer: (request: SetTimerRequest) => !request.timerId,
  appendEvent: (request: AppendEventRequest) => !request.event.id,
};

function always(): boolean {
  return true;
}

/** The metadata of a call: what its options say, and a request id where none of the request's fields names the call. */
export function callMetadata(name: RpcName, request: object, options: CallOptions): Metadata {
  const isUnnamed: ((request: never) => boolean) | undefined = unnamedCalls[name];
  const { requestId = isUnnamed?.(request as never) === true ? randomId() : undefined } = options;
  const { leaseEpoch, strict, gateOccurrence, claimer, traceparent } = options;
  const metadata: Record<string, string> = {};
  if (requestId !== undefined) metadata["tape-request-id"] = headerText("requestId", requestId);
  if (leaseEpoch !== undefined) metadata["tape-lease-epoch"] = String(leaseEpoch);
  if (strict === true) metadata["tape-strict"] = "1";
  if (gateOccurrence !== undefined) metadata["tape-gate-occurrence"] = String(gateOccurrence);
  if (claimer !== undefined) metadata["tape-claimer"] = headerText("claimer", claimer);
  // A trace must never fail a write: one that cannot travel is left behind.
  if (traceparent !== undefined && isHeaderText(traceparent)) metadata["traceparent"] = traceparent;
  return metadata;
}

/** 128 random bits in hex. `crypto.randomUUID` is missing on pages without TLS. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return bytes.reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
}

function headerText(option: string, value: string): string {
  if (isHeaderText(value)) return value;
  const fault = "must be visible ASCII without spaces around it, because it travels as a header";
  throw new TapeError("ARGUMENT_INVALID", `${option}: ${fault}`, { ids: { field: option } });
}

/** HTTP carries visible ASCII in headers, and nothing else reliably. */
export function isHeaderText(value: string): boolean {
  return /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value);
}
