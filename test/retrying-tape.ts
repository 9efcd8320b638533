import { randomUUID } from "node:crypto";
import { TapeError } from "../src/errors.ts";
import type { CallOptions } from "../src/model/call.ts";
import type { Inspect } from "../src/model/inspect.ts";
import type { Tape } from "../src/model/tape.ts";

const attempts = 500;

type Send = (request: unknown, options: CallOptions) => Promise<unknown>;

/**
 * The tape as a client uses it that never gives up: what failed and may be sent again is sent again under the same
 * request id (R3), and streams go on behind the last item.
 */
export function retryingTape(tape: Tape): Tape {
  const unary =
    (send: Send) =>
    async (request: unknown, options: CallOptions = {}) => {
      const requestId = options.requestId ?? randomUUID();
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await send(request, { ...options, requestId });
        } catch (error) {
          if (!mayTryAgain(error) || attempt === attempts) throw error;
        }
      }
    };
  const streams: Partial<Tape> = {
    subscribeRun: (request, options) =>
      resumed(
        (last) => tape.subscribeRun({ ...request, fromSeq: last ?? request.fromSeq }, options),
        (entry) => entry.seq + 1,
      ),
    subscribeEvents: (request, options) =>
      resumed(
        (last) => tape.subscribeEvents({ ...request, fromGlobalSeq: last ?? request.fromGlobalSeq }, options),
        (entry) => entry.globalSeq,
      ),
    subscribeBySubject: (request, options) =>
      resumed(
        (last) => tape.subscribeBySubject({ ...request, fromGlobalSeq: last ?? request.fromGlobalSeq }, options),
        (entry) => entry.globalSeq,
      ),
    watchValue: (request, options) =>
      resumed(
        (last) => tape.watchValue({ ...request, fromVersion: last ?? request.fromVersion }, options),
        (change) => change.value.version,
      ),
  };
  const retried = (calls: object): object =>
    Object.fromEntries(Object.entries(calls).map(([name, send]) => [name, unary(send as Send)]));
  return { ...(retried(tape) as Tape), ...streams, inspect: retried(tape.inspect) as Inspect };
}

function mayTryAgain(error: unknown): boolean {
  return error instanceof TapeError && error.retryable && error.reason !== "SHUTTING_DOWN";
}

async function* resumed<T>(
  open: (last?: number) => AsyncIterable<T>,
  position: (item: T) => number,
): AsyncGenerator<T> {
  let last: number | undefined;
  for (;;) {
    try {
      for await (const item of open(last)) {
        last = position(item);
        yield item;
      }
      return;
    } catch (error) {
      if (!mayTryAgain(error)) throw error;
    }
  }
}
