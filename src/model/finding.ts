/**
 * What a check came to. `ok`: as it should be. `warn`: works, but will hurt. `fail`: does not work, or is not safe.
 * `skipped`: says nothing about this installation, because it does not apply, because an earlier finding stands in its
 * way, or because it could not be told ({@link Finding.untold}).
 */
type Outcome = "ok" | "warn" | "fail" | "skipped";

/** What one check of an installation found. Plain data: what `tape doctor --json` prints. */
export interface Finding<Id extends string = string> {
  /** The check's stable name: `<area>.<what>`. */
  readonly id: Id;
  readonly outcome: Outcome;
  /** One sentence, with the numbers and names that matter. Never a secret. */
  readonly says: string;
  /** The exact commands that mend it, in order; for people, a line that starts with `#` says what no command can do. */
  readonly mend?: readonly string[] | undefined;
  /** Whether it could not be told, although it matters: `tape doctor` then ends with 3. Only beside `skipped`. */
  readonly untold?: true | undefined;
  /** What `--fix` does about it. Absent where only people should. */
  readonly repair?: Repair | undefined;
}

/** A repair that may be done again and cannot lose anything. */
export interface Repair {
  /** What it does, in the imperative, named before it is done: `end the scratch runs of earlier checks`. */
  readonly does: string;
  /** Does it and says what was done. */
  readonly run: (signal: AbortSignal) => Promise<string>;
}

/** A part of a check-up. Yields each finding as soon as it is known; never throws for what it examines. */
export type Checkup<Id extends string = string> = (signal: AbortSignal) => AsyncIterable<Finding<Id>>;

/** All is as it should be. */
export const ok = <Id extends string>(id: Id, says: string): Finding<Id> => ({ id, outcome: "ok", says });

/** Works, but will hurt. */
export const warn = <Id extends string>(
  id: Id,
  says: string,
  mend: readonly string[],
  repair?: Repair,
): Finding<Id> => ({ id, outcome: "warn", says, mend, repair });

/** Does not work, or is not safe. */
export const fail = <Id extends string>(
  id: Id,
  says: string,
  mend: readonly string[],
  repair?: Repair,
): Finding<Id> => ({ id, outcome: "fail", says, mend, repair });

/** Does not apply here, or an earlier finding stands in its way. */
export const skipped = <Id extends string>(id: Id, says: string): Finding<Id> => ({ id, outcome: "skipped", says });

/** It matters, but could not be told. */
export const untold = <Id extends string>(id: Id, says: string, mend: readonly string[] = []): Finding<Id> => ({
  id,
  outcome: "skipped",
  says,
  mend,
  untold: true,
});
