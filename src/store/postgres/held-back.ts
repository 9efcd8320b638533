const firstPauseMs = 5;
const longestPauseMs = 500;

/** Looks again after a while at a feed that an older transaction holds back: soon at first, then less and less often. */
export class HeldBack {
  readonly #look: () => void;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;

  constructor(look: () => void) {
    this.#look = look;
  }

  lookAgain(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs);
      this.#look();
    }, this.#pauseMs).unref();
  }

  /** The feed goes on. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pauseMs = firstPauseMs;
  }
}
