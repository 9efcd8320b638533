import fc from "fast-check";
import type { Target } from "./target.ts";

/** How long, and from which seed. */
export interface FuzzOptions {
  readonly seed: number;
  /** Ends when the time is over, or after so many inputs, whichever comes first. */
  readonly seconds: number;
  readonly inputs?: number;
  /** Where, for targets that take a store. */
  readonly store?: string | undefined;
}

/** What came of a target. */
export interface FuzzResult {
  readonly target: string;
  readonly inputs: number;
  /** How often each outcome came. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly seconds: number;
  /** The smallest input that was found, and what is wrong with it. */
  readonly failure: FuzzFailure | undefined;
}

/** An input that breaks what must hold. */
interface FuzzFailure {
  /** None: not one could be tried. */
  readonly input: unknown;
  readonly what: string;
}

/** Tries inputs until one fails, and then makes that one smaller for as long as it fails. The same seed gives the same inputs. */
export async function fuzz(
  target: Target,
  { seed, seconds, inputs = 2 ** 31 - 1, store }: FuzzOptions,
): Promise<FuzzResult> {
  const outcomes = new Map<string, number>();
  const trial = await target.open(store);
  const started = performance.now();
  let tried = 0;
  try {
    const property = fc.asyncProperty(target.inputs, async (input) => {
      tried += 1;
      const outcome = await trial.check(input);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    });
    const found = await fc.check(property, {
      seed,
      numRuns: inputs,
      interruptAfterTimeLimit: seconds * 1000,
      markInterruptAsFailure: false,
    });
    const failure = found.failed ? failureOf(found) : undefined;
    return { target: target.name, inputs: tried, outcomes, seconds: (performance.now() - started) / 1000, failure };
  } finally {
    await trial.close();
  }
}

/** Tries one input, as it was kept; `store`: as in {@link FuzzOptions}. */
export async function replay(target: Target, input: unknown, store?: string): Promise<FuzzResult> {
  const started = performance.now();
  const trial = await target.open(store);
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    const outcomes = new Map([[await trial.check(input), 1]]);
    return { target: target.name, inputs: 1, outcomes, seconds: seconds(), failure: undefined };
  } catch (error) {
    const failure = { input, what: messageOf(error) };
    return { target: target.name, inputs: 1, outcomes: new Map(), seconds: seconds(), failure };
  } finally {
    await trial.close();
  }
}

/** Without a counterexample the time was over before the first input was. */
const failureOf = ({ counterexample, errorInstance }: fc.RunDetails<[unknown]>): FuzzFailure =>
  counterexample === null
    ? { input: undefined, what: "no input was tried to its end: give it more --seconds" }
    : { input: counterexample[0], what: messageOf(errorInstance) };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
