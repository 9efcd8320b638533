import { TapeError } from "../../src/errors.ts";
import type { CallOptions } from "../../src/model/call.ts";
import type { Tape } from "../../src/model/tape.ts";

/** A Tape that breaks one rule, and the case of the suite that must not pass on it. */
export interface BrokenTape {
  /** What it does wrong. */
  readonly wrong: string;
  /** The whole title of the case: rule and name. */
  readonly caughtBy: string;
  /** Wraps a good one. */
  readonly breaks: (good: Tape) => Tape;
}

type AnyCall = (request: unknown, options?: CallOptions) => unknown;

/** The good tape with some calls replaced. */
export function but(good: Tape, calls: Partial<Tape>): Tape {
  return { ...good, ...calls };
}

/** The good tape with every call changed. */
function changed(good: Tape, change: (call: AnyCall) => AnyCall): Tape {
  const calls = Object.entries(good).map(([name, call]) => [name, change(call as AnyCall)]);
  return { ...(Object.fromEntries(calls) as Tape), inspect: good.inspect };
}

/** The good tape whose calls are all sent with other options. */
export function withOptions(change: (options: CallOptions) => CallOptions): BrokenTape["breaks"] {
  return (good) =>
    changed(
      good,
      (call) =>
        (request, options = {}) =>
          call(request, change(options)),
    );
}

/** The good tape whose failures look otherwise. */
export function withErrors(change: (error: TapeError) => Error): BrokenTape["breaks"] {
  return (good) =>
    changed(good, (call) => (request, options) => {
      const answer = call(request, options);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => {
        throw error instanceof TapeError ? change(error) : error;
      });
    });
}

/** The items, each as often as `keep` says of its index. */
export async function* every<T>(items: AsyncIterable<T>, keep: (index: number) => number): AsyncGenerator<T> {
  let index = 0;
  for await (const item of items) {
    for (let copy = keep(index); copy > 0; copy -= 1) yield item;
    index += 1;
  }
}

/** For {@link every}: the fourth is not there. */
export const withoutTheFourth = (index: number): number => (index === 3 ? 0 : 1);

/** The items, the second and the third in each other's place. */
export async function* swapped<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  let index = 0;
  let held: T[] = [];
  for await (const item of items) {
    index += 1;
    if (index === 2) {
      held = [item];
    } else {
      yield item;
      yield* held.splice(0);
    }
  }
}
