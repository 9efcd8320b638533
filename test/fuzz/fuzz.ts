import fc from "fast-check";
import type { Target } from "./target.ts";

/** How long, and from which seed. */
export interface FuzzOptions {
  readonly seed: number;
  /** Ends when the time is over, or after so many inputs, whichever comes first. */
  readonly seconds: number;
  readonly inputs?: number;
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
  readonly input: unknown;
  readonly what: string;
}

/** Tries inputs until one fails, and then makes that one smaller for as long as it fails. The same seed gives the same inputs. */
export async function fuzz(target: Target, { seed, seconds, inputs = 2 ** 31 - 1 }: FuzzOptions): Promise<FuzzResult> {
  const outcomes = new Map<string, number>();
  const trial = await target.open();
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
    const [input] = found.counterexample ?? [];
    const failure = found.failed ? { input, what: messageOf(found.errorInstance) } : undefined;
    return { target: target.name, inputs: tried, outcomes, seconds: (performance.now() - started) / 1000, failure };
  } finally {
    await trial.close();
  }
}

/** Tries one input, as it was kept. */
export async function replay(target: Target, input: unknown): Promise<FuzzResult> {
  const started = performance.now();
  const trial = await target.open();
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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
