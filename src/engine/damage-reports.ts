import type { TapeError } from "../errors.ts";
import { isDamage } from "./damaged-rows.ts";
import { ToldOnce } from "./told-once.ts";

/** Whom the engine tells of stored data that it cannot read; the message names the row, and no payload. */
export type DamageObserver = (error: TapeError) => void;

/** The same damage is told once in this time: it stays until somebody mends it. */
export const damageQuietMs = 3_600_000;

/**
 * Tells an observer of damage that anything came upon: a caller is told of a row that it asked for, but lists, timers,
 * matching and chores go on without the row, and nobody else would say that it needs mending.
 */
export class DamageReports {
  readonly #observer: DamageObserver;
  readonly #told: ToldOnce;

  constructor(observer: DamageObserver, now: () => number) {
    this.#observer = observer;
    this.#told = new ToldOnce(now);
  }

  /** Something failed; whatever is no damage is not for this. */
  readonly failed = (error: unknown): void => {
    if (!isDamage(error)) return;
    // While servers are brought up to date many rows are newer than the last old one.
    const what = error.reason === "FORMAT_NEWER" ? error.reason : error.message;
    if (this.#told.mayTell(what, damageQuietMs)) this.#observer(error);
  };
}
