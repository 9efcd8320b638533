import type { CallOptions } from "../../../src/model/call.ts";
import type { Tape } from "../../../src/model/tape.ts";
import type { Watches } from "./watches.ts";

type UnaryCall = (request: object, options?: CallOptions) => Promise<unknown>;

/** What a watched tape does besides. */
export interface TapeWatch {
  readonly watches: Watches;
  /** Told of every call whose answer is about to leave. */
  readonly onAnswer: (requestId: string) => void;
  readonly planted: string | undefined;
}

/** A tape whose calls can be held before anything is decided, and seen when they are answered. */
export function watchedTape(tape: Tape, { watches, onAnswer, planted }: TapeWatch): Tape {
  return new Proxy(tape, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || typeof name === "symbol" || /^(?:subscribe|watch|close)/.test(name)) {
        return member;
      }
      const call = member as UnaryCall;
      return async (request: object, options: CallOptions = {}): Promise<unknown> => {
        const { requestId, ...others } = options;
        if (name === "chargeBudget" && planted === "call-refused") throw new TypeError("planted");
        if (name === "chargeBudget" && planted === "call-unanswered") return new Promise(() => undefined);
        await watches.arrived(requestId);
        const answer = await call.call(target, request, planted === "request-ids-forgotten" ? others : options);
        watches.answered(requestId);
        if (requestId !== undefined) onAnswer(requestId);
        return answer;
      };
    },
  });
}
