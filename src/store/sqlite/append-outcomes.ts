import type { AppendOutcome } from "../store.ts";
import type { BatchFate } from "./batch-writer.ts";

/** What the port says of each element of a batch. */
export function appendOutcomes({ outcomes, cause }: BatchFate): readonly AppendOutcome[] {
  return Array.from(outcomes, (outcome): AppendOutcome => {
    if (Number.isNaN(outcome)) return { kind: "unknown", cause };
    return outcome < 0 ? { kind: "conflict", version: -1 - outcome } : { kind: "committed", position: outcome };
  });
}
