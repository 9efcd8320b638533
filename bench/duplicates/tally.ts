import type { RunEnd } from "./assignment.ts";
import type { WorldRecord } from "./world.ts";

/** What became of some runs; each is counted once among `once`, `twice`, `lost` and `unknown`. */
export interface Tally {
  readonly runs: number;
  /** The tool acted exactly once, and the run is at its end. */
  readonly once: number;
  /** The tool acted twice or more. */
  readonly twice: number;
  /** The tool never acted, and the run is at its end as if it had. */
  readonly lost: number;
  /** The run stopped and says so: a human has to look whether the tool acted. It did not act twice. */
  readonly unknown: number;
  /** The model was asked more than once. */
  readonly askedAgain: number;
  /** Of each run: from the kill until its system was done with it. */
  readonly recoveryMs: readonly number[];
}

/** Of no runs. */
export const emptyTally: Tally = { runs: 0, once: 0, twice: 0, lost: 0, unknown: 0, askedAgain: 0, recoveryMs: [] };

/** With one more run. */
export function counted(tally: Tally, world: WorldRecord, end: RunEnd, recoveryMs: number): Tally {
  const kind = kindOf(world, end);
  return {
    ...tally,
    runs: tally.runs + 1,
    [kind]: tally[kind] + 1,
    askedAgain: tally.askedAgain + (world.asked > 1 ? 1 : 0),
    recoveryMs: [...tally.recoveryMs, recoveryMs],
  };
}

/** Several as one. */
export function sumOf(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, one) => ({
      runs: sum.runs + one.runs,
      once: sum.once + one.once,
      twice: sum.twice + one.twice,
      lost: sum.lost + one.lost,
      unknown: sum.unknown + one.unknown,
      askedAgain: sum.askedAgain + one.askedAgain,
      recoveryMs: [...sum.recoveryMs, ...one.recoveryMs],
    }),
    emptyTally,
  );
}

function kindOf({ acts }: WorldRecord, end: RunEnd): "once" | "twice" | "lost" | "unknown" {
  if (acts > 1) return "twice";
  if (end === "unknown") return "unknown";
  return acts === 1 ? "once" : "lost";
}
