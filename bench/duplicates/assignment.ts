import type { CrashPoint } from "./crash-point.ts";

/**
 * What the outside world offers to somebody who does not know whether he acted: `keys`, it honours idempotency keys;
 * `look-up`, it says what it did under a reference; `blind`, neither.
 */
export type WorldKind = "keys" | "look-up" | "blind";

/** All kinds, the kindest first. */
export const worldKinds: readonly WorldKind[] = ["keys", "look-up", "blind"];

/** One run and where its first agent is killed. */
export interface PlannedRun {
  readonly id: string;
  readonly point: CrashPoint;
}

/** What an agent process is told, as JSON in its first argument; what follows is the system's own. */
export interface Assignment {
  /** `begin`: starts the runs, and waits in each at its point. `recover`: brings them to their end. */
  readonly phase: "begin" | "recover";
  readonly world: WorldKind;
  readonly worldUrl: string;
  readonly runs: readonly PlannedRun[];
}

/** How a run stands when its system is done with it: at its end, or stopped until a human has looked. */
export type RunEnd = "ended" | "unknown";

/** What an agent process says of a run, as a line of JSON on its standard output. */
export interface RunReport {
  readonly run: string;
  readonly end: RunEnd;
}
