/** What a store has begun and not finished, so that closing can wait for it. */
export class UnderWay {
  readonly #work = new Set<Promise<unknown>>();

  /** Gives what the work gives. */
  async finish<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    try {
      return await work;
    } finally {
      this.#work.delete(work);
    }
  }

  /** Resolves when everything begun so far is done, well or not. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#work);
  }
}
