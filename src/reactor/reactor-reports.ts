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

/** The same trouble of the same reaction is told once in this time. */
const quietMs = 60_000;
/** Troubles remembered. */
const mostRemembered = 1000;

/** Counts, and tells an observer what went wrong, each thing once a minute. */
export class ReactorReports {
  /** Counters since the start. */
  readonly counts: { tasksMade: number; predicatesFailed: number } = { tasksMade: 0, predicatesFailed: 0 };
  readonly #observer: ReactorObserver;
  readonly #now: () => number;
  readonly #told = new Map<string, number>();

  constructor(observer: ReactorObserver, now: () => number) {
    this.#observer = observer;
    this.#now = now;
  }

  trouble(trouble: ReactorTrouble): void {
    const name = `${trouble.kind} ${trouble.reactionId}`;
    const now = this.#now();
    if (now < (this.#told.get(name) ?? -Infinity) + quietMs) return;
    if (this.#told.size >= mostRemembered) this.#told.clear();
    this.#told.set(name, now);
    this.#observer(trouble);
  }
}
