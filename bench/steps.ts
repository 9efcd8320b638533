import type { Tape } from "tape-journal";

/** What was measured at one number of concurrent runs. */
export interface Sample {
  readonly steps: number;
  /** Durable commits behind the steps, with those that begin and end the runs. */
  readonly commits: number;
  readonly seconds: number;
  /** Of one step (without what begins and ends its run), sorted, milliseconds. */
  readonly latencies: Float64Array;
}

/** Something that does steps, one at a time. */
export interface Stepper {
  step(): Promise<StepCost>;
}

/** What a step took. */
interface StepCost {
  readonly commits: number;
  readonly milliseconds: number;
}

/** How many steps a run has: as many as in the comparisons with other systems that people publish. */
const stepsPerRun = 10;

/** About 500 bytes of JSON. */
export const payload: string = JSON.stringify({ memo: "x".repeat(488) });

/** Lets each stepper go on by itself for that long. */
export async function measure(steppers: readonly Stepper[], milliseconds: number): Promise<Sample> {
  const start = performance.now();
  const latencies: number[] = [];
  let commits = 0;
  await Promise.all(
    steppers.map(async (stepper) => {
      while (performance.now() - start < milliseconds) {
        const cost = await stepper.step();
        commits += cost.commits;
        latencies.push(cost.milliseconds);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  return { steps: latencies.length, commits, seconds, latencies: Float64Array.from(latencies).toSorted() };
}

/** One agent that does step after step, in runs of ten: BeginEffect and CompleteEffect, both durable. */
export function openAgent(tape: Tape, name: string): Stepper {
  let runId = "";
  let leaseEpoch = 0;
  let steps = 0;
  let runs = 0;
  return {
    step: async () => {
      let commits = 2;
      if (steps % stepsPerRun === 0) {
        runs += 1;
        commits += 1;
        const run = await tape.beginRun({ appName: "bench", invocationId: `${name}-${runs}`, leaseOwner: name });
        ({ runId, leaseEpoch } = run);
      }
      const start = performance.now();
      const begun = await tape.beginEffect(
        { runId, decisionIndex: steps % stepsPerRun, toolName: "pay", requestJson: payload },
        { leaseEpoch },
      );
      const { idempotencyKey } = begun;
      await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED", responseJson: payload }, { leaseEpoch });
      const milliseconds = performance.now() - start;
      steps += 1;
      if (steps % stepsPerRun === 0) {
        commits += 1;
        await tape.endRun({ runId, status: "TERMINAL" }, { leaseEpoch });
      }
      return { commits, milliseconds };
    },
  };
}

/** The value below which this part of the sorted values lies. */
export function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
