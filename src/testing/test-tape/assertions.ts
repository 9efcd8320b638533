import assert from "node:assert/strict";
import { errorReasons, TapeError, type TapeErrorCode, type TapeErrorReason } from "../../errors.ts";

/** A call under way, or one still to be made. */
export type Call = Promise<unknown> | (() => Promise<unknown>);

/**
 * The call must fail for this reason. `ids` are ids that its detail must carry (R9): with a string the very value,
 * with `true` any value that is not empty.
 */
export async function refused(
  call: Call,
  reason: TapeErrorReason,
  ids: Readonly<Record<string, string | true>> = {},
): Promise<TapeError> {
  const error = await rejection(call);
  assert.equal(error.reason, reason, `reason, with the message: ${error.message}`);
  assert.equal(error.code, errorReasons[reason]);
  for (const [name, value] of Object.entries(ids)) {
    const carried = error.ids[name];
    if (value === true) assert.ok(carried, `the detail of ${reason} carries no ${name}: ${JSON.stringify(error.ids)}`);
    else assert.equal(carried, value, `${name} in the detail of ${reason}`);
  }
  return error;
}

/** The call must fail with this status, for whichever reason. */
export async function refusedAs(call: Call, code: TapeErrorCode): Promise<TapeError> {
  const error = await rejection(call);
  assert.equal(error.code, code, `code of ${error.reason}: ${error.message}`);
  return error;
}

async function rejection(call: Call): Promise<TapeError> {
  const [outcome] = await Promise.allSettled([typeof call === "function" ? call() : call]);
  if (outcome.status === "fulfilled") {
    assert.fail(`the call should have been refused, it answered ${JSON.stringify(outcome.value)?.slice(0, 300)}`);
  }
  const error: unknown = outcome.reason;
  if (!(error instanceof TapeError)) throw new TypeError("calls reject with TapeError only", { cause: error });
  return error;
}

/** What became of calls that race: the answers, and the errors. */
export interface Race<T> {
  readonly won: T[];
  readonly lost: readonly TapeError[];
}

/** Makes the calls at once and sorts the outcomes. */
export async function race<T>(calls: readonly (() => Promise<T>)[]): Promise<Race<T>> {
  const outcomes = await Promise.allSettled(calls.map((call) => call()));
  return {
    won: outcomes.filter((outcome) => outcome.status === "fulfilled").map((outcome) => outcome.value),
    lost: await Promise.all(
      outcomes
        .filter((outcome) => outcome.status === "rejected")
        .map((outcome) => rejection(Promise.reject(outcome.reason))),
    ),
  };
}

/** Numbers from 0 to n - 1. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index);
}

/** The fields of a JSON object text. */
export function fields(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json);
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value), `a JSON object, not ${json}`);
  return value as Readonly<Record<string, unknown>>;
}

/** The part of the object under these keys, to compare what matters to a rule and nothing else. */
export function part<T extends object, K extends keyof T>(object: T | undefined, ...keys: K[]): Pick<T, K> {
  assert.ok(object, "something should be there");
  return Object.fromEntries(keys.map((key) => [key, object[key]])) as Pick<T, K>;
}
