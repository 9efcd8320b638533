import type { Arbitrary } from "fast-check";
import { TapeError, type TapeErrorReason } from "../../src/errors.ts";

/** Something of Tape that takes data from outside, and what must hold of it whatever comes. */
export interface Target<Input = unknown> {
  /** As in `--only`. */
  readonly name: string;
  /** Inputs of its kind: mostly well-formed, with something wrong. They are plain JSON, so that one can be kept in a file. */
  readonly inputs: Arbitrary<Input>;
  /** It may be tried on any store. */
  readonly stores?: true;
  /** Makes ready what is tried; `store`: on that one, as in `--store`. */
  readonly open: (store?: string) => Promise<Trial<Input>>;
}

/** A target that is ready. */
export interface Trial<Input = unknown> {
  /** Tries an input; says what came of it, in a word or two. Throws what is wrong. */
  readonly check: (input: Input) => Promise<string> | string;
  readonly close: () => Promise<void>;
}

/** For targets that hold nothing. */
export const pure = <Input>(check: (input: Input) => Promise<string> | string) => {
  return (): Promise<Trial<Input>> => Promise.resolve({ check, close: () => Promise.resolve() });
};

/**
 * A trial on a server of its own: an input that takes longer than there is time is not waited for, and must not lose the
 * server meanwhile.
 */
export function trialOn<Input>(check: (input: Input) => Promise<string>, close: () => Promise<void>): Trial<Input> {
  let last: Promise<unknown> = Promise.resolve();
  return {
    check(input) {
      const checking = check(input);
      last = checking.catch(() => undefined);
      return checking;
    },
    async close() {
      await last;
      await close();
    },
  };
}

/** Fails a trial. A broken promise of Tape is no error of Tape's, so this is the one place that throws another class. */
export function wrong(what: string): never {
  throw new Error(what);
}

/** The error that is left when only these reasons are allowed; anything else fails the trial. */
export function refusalOf(error: unknown, ...allowed: readonly TapeErrorReason[]): TapeError {
  if (!(error instanceof TapeError)) wrong(`an error that is no TapeError: ${String(error)}`);
  if (!allowed.includes(error.reason)) wrong(`refused with ${error.reason} instead of ${allowed.join(" or ")}`);
  return error;
}
