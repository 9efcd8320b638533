import { shortHash } from "../codec/hash.ts";
import { traceOfCaller } from "../codec/trace.ts";
import { TapeError } from "../errors.ts";
import type { Limits } from "../journal/limits.ts";
import type { CallOptions } from "../model/call.ts";
import type { IdSource } from "./id-source.ts";
import { plainCall, type Call } from "./row-slot.ts";

/** What the rules need to know of a caller's options. Errors: SIZE_LIMIT, ARGUMENT_INVALID. */
export function callOf(method: string, options: CallOptions | undefined, ids: IdSource, limits: Limits): Call {
  if (options === undefined) return plainCall;
  const { requestId = "", leaseEpoch, claimer = "", strict = false, gateOccurrence = 1, traceparent } = options;
  return {
    requestHash: requestId === "" ? "" : requestHash(method, requestId, limits),
    leaseEpoch,
    claimer,
    strict,
    occurrence: gateOccurrence,
    trace: traceOfCaller(traceparent, () => ids.spanId()),
  };
}

function requestHash(method: string, requestId: string, limits: Limits): string {
  if (Buffer.byteLength(requestId) > limits.requestIdBytes) {
    throw new TapeError("SIZE_LIMIT", `tape-request-id is too large: the limit is ${limits.requestIdBytes} bytes`, {
      ids: { field: "tape-request-id", limit: String(limits.requestIdBytes) },
    });
  }
  return shortHash(`${method}\n${requestId}`);
}

/** A longer timer would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Gives up waiting when the caller does. What was asked for goes on: a write may still commit, and a retry finds it
 * (R9).
 */
export function patient<T>(work: Promise<T>, options: CallOptions | undefined): Promise<T> {
  const { signal, timeoutMs } = options ?? {};
  if (signal === undefined && timeoutMs === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const expire = (): void => finish(() => reject(tooLate()));
    const timer = timeoutMs === undefined ? undefined : setTimeout(expire, Math.min(timeoutMs, longestTimerMs));
    const aborted = (): void => finish(() => reject(cancelled(signal)));
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
      settle();
    };
    if (signal?.aborted === true) aborted();
    else signal?.addEventListener("abort", aborted, { once: true });
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}

const tooLate = (): TapeError =>
  new TapeError("DEADLINE_EXCEEDED", "the deadline has passed; the write may still commit, a retry finds it");

/** A signal fired by a deadline says so; any other means that the caller left. */
function cancelled(signal: AbortSignal | undefined): TapeError {
  const reason: unknown = signal?.reason;
  if (reason instanceof TapeError) return reason;
  return reason instanceof Error && reason.name === "TimeoutError"
    ? tooLate()
    : new TapeError("CANCELLED", "the caller gave up; the write may still commit, a retry finds it");
}
