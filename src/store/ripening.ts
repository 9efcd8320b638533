/** Looks again when what could not be given yet may be given: at the earliest time that was asked for. */
export class Ripening {
  readonly #look: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  constructor(look: () => void) {
    this.#look = look;
  }

  /** Asks for a look in so many milliseconds. */
  lookAgain(afterMs: number): void {
    const waitMs = Math.max(1, Math.ceil(afterMs));
    const atMs = performance.now() + waitMs;
    if (this.#timer !== undefined && this.#atMs <= atMs) return;
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, waitMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
