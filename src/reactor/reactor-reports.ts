import { damageQuietMs } from "../engine/damage-reports.ts";
import { ToldOnce } from "../engine/told-once.ts";
import { TapeError } from "../errors.ts";

/** What went wrong with a reaction; the message names no payload. */
export interface ReactorTrouble {
  readonly reactionId: string;
  /** `predicate`: an entry on which it could not be evaluated, which counts as no match. `matching`: it is tried again. */
  readonly kind: "predicate" | "matching" | "starting runs";
  readonly message: string;
  readonly cause?: unknown;
}

/** Whom the reactor tells what went wrong. */
export type ReactorObserver = (trouble: ReactorTrouble) => void;

/** The same trouble of the same reaction is told once in this time; what is damaged stays so for longer. */
const quietMs = 60_000;

/** Counts, and tells an observer what went wrong, each thing once in its time. */
export class ReactorReports {
  /** Counters since the start. */
  readonly counts: { tasksMade: number; predicatesFailed: number } = { tasksMade: 0, predicatesFailed: 0 };
  readonly #observer: ReactorObserver;
  readonly #told: ToldOnce;

  constructor(observer: ReactorObserver, now: () => number) {
    this.#observer = observer;
    this.#told = new ToldOnce(now);
  }

  trouble(trouble: ReactorTrouble): void {
    const { kind, reactionId, cause } = trouble;
    const isLasting = cause instanceof TapeError && !cause.retryable;
    const name = `${kind} ${reactionId} ${isLasting ? cause.message : ""}`;
    if (this.#told.mayTell(name, isLasting ? damageQuietMs : quietMs)) this.#observer(trouble);
  }
}
