import type { Tape } from "../../model/tape.ts";

/** A journal that is looked at, and how commands that are suggested reach it. */
export interface JournalScene {
  readonly tape: Tape;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Appended to each command: empty, or ` --store ...`. */
  readonly access: string;
}
