import { setTimeout as sleep } from "node:timers/promises";
import { TapeError } from "../../src/errors.ts";
import type { Tape } from "../../src/model/tape.ts";

/** How one attempt at a call ended. */
export type Attempt =
  | { readonly kind: "answered"; readonly answer: unknown }
  /** Nobody knows what became of it: it is to be sent again. */
  | { readonly kind: "unanswered" };

/** How long a caller waits, in milliseconds. */
export interface Patience {
  /** For one answer. */
  readonly attemptMs: number;
  /** For an answer to a call that is sent again and again: what takes longer has failed. */
  readonly callMs: number;
}

/** Kills included: a server that was killed is back within seconds, on a busy machine. */
export const defaultPatience: Patience = Object.freeze({ attemptMs: 30_000, callMs: 60_000 });

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
export async function insist<T>(send: () => Promise<T>, { callMs }: Patience): Promise<T> {
  const until = performance.now() + callMs;
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
export function insistent(tape: Tape, patience: Patience): Tape {
  // Not of the tape itself: it is frozen, and a proxy may not show a frozen thing otherwise.
  return new Proxy({} as Tape, {
    get(_empty, name) {
      const member: unknown = Reflect.get(tape, name);
      if (name === "inspect") return insistent(member as Tape, patience);
      if (typeof member !== "function" || typeof name === "symbol" || /^(?:subscribe|watchValue|close)/.test(name)) {
        return member;
      }
      return (...args: readonly unknown[]) =>
        insist(() => Reflect.apply(member, tape, args) as Promise<unknown>, patience);
    },
  });
}

/** Lists across runs. */
const listsOfAll: ReadonlySet<string> = new Set([
  "listEffectsToDispatch",
  "listUnresolvedObligations",
  "listRunsToRecover",
  "listPendingEffects",
  "listDueTimers",
]);

/**
 * The tape of somebody who looks at hundreds of runs while nobody writes: a list across all of them is read once, as of the
 * first look. Read again for each, the lists are what an emulator is busy with for an hour.
 */
export function lookingOnce(tape: Tape): Tape {
  const lists = new Map<string, Promise<unknown>>();
  return new Proxy({} as Tape, {
    get(_empty, name) {
      const member: unknown = Reflect.get(tape, name);
      if (typeof member !== "function" || typeof name === "symbol" || !listsOfAll.has(name)) return member;
      return (...args: readonly unknown[]) => {
        const call = `${name} ${JSON.stringify(args)}`;
        const list = lists.get(call) ?? (Reflect.apply(member, tape, args) as Promise<unknown>);
        lists.set(call, list);
        // Whoever asks again after a failure reads it himself.
        list.catch(() => lists.delete(call));
        return list;
      };
    },
  });
}
