import type { SequentialModel } from "../checker.ts";
import { onEffect } from "./claim-rules.ts";
import { send, wait } from "./gate-rules.ts";
import { cancel, decide, getRun, take } from "./lease-rules.ts";
import { absentRun, type RunInput, type RunModelState } from "./run-state.ts";

const reads: ReadonlySet<string> = new Set(["getRun", "getEffect"]);

/** A run: a second reading of `docs/semantics.md` that knows nothing of the code. */
export const runModel: SequentialModel<RunModelState, RunInput> = {
  initial: absentRun,
  isPure: ({ input, answer }) => reads.has(input.call) || answer?.["refused"] !== undefined,
  step(run, operation) {
    const { input } = operation;
    switch (input.call) {
      case "begin":
      case "resume":
        return take(run, operation, input);
      case "getRun":
        return getRun(run, operation);
      case "decide":
        return decide(run, operation, input);
      case "cancel":
        return cancel(run, operation, input);
      case "await":
        return wait(run, operation, input);
      case "send":
        return send(run, operation, input);
      default:
        return onEffect(run, operation, input);
    }
  },
};
