const firstPauseMs = 5;
const longestPauseMs = 500;

/** Looks again after a while at a feed that an older transaction holds back: soon at first, then less and less often. */
export class HeldBack {
  readonly #look: () => void;
  #waits = false;
  #pauseMs = firstPauseMs;

  constructor(look: () => void) {
    this.#look = look;
  }

  lookAgain(): void {
    if (this.#waits) return;
    this.#waits = true;
    setTimeout(() => {
      this.#waits = false;
      this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs);
      this.#look();
    }, this.#pauseMs).unref();
  }

  /** The feed goes on for one reader. Another may still wait for the next look, so that stays. */
  reset(): void {
    this.#pauseMs = firstPauseMs;
  }
}
