import { setTimeout as sleep } from "node:timers/promises";
import { TapeError } from "../../src/errors.ts";
import type { Tape } from "../../src/model/tape.ts";

/** How one attempt at a call ended. */
export type Attempt =
  | { readonly kind: "answered"; readonly answer: unknown }
  /** Nobody knows what became of it: it is to be sent again. */
  | { readonly kind: "unanswered" };

const patienceMs = 60_000;
const pauseMs = 25;

/** Sends a call once. A refusal is no attempt that may be repeated: it is thrown. */
export async function attempt(send: () => Promise<unknown>): Promise<Attempt> {
  try {
    return { kind: "answered", answer: await send() };
  } catch (error) {
    if (mayTryAgain(error)) return { kind: "unanswered" };
    throw error;
  }
}

/** Sends a call until it is answered. */
export async function insist<T>(send: () => Promise<T>): Promise<T> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (!mayTryAgain(error) || performance.now() > until) throw error;
      await sleep(pauseMs);
    }
  }
}

const mayTryAgain = (error: unknown): boolean =>
  error instanceof TapeError && (error.retryable || error.code === "DEADLINE_EXCEEDED");

/** A tape that insists: what cannot be answered just now is asked again, under the request id that it was given. */
export function insistent(tape: Tape): Tape {
  // Not of the tape itself: it is frozen, and a proxy may not show a frozen thing otherwise.
  return new Proxy({} as Tape, {
    get(_empty, name) {
      const member: unknown = Reflect.get(tape, name);
      if (name === "inspect") return insistent(member as Tape);
      if (typeof member !== "function" || typeof name === "symbol" || /^(?:subscribe|watchValue|close)/.test(name)) {
        return member;
      }
      return (...args: readonly unknown[]) => insist(() => Reflect.apply(member, tape, args) as Promise<unknown>);
    },
  });
}
