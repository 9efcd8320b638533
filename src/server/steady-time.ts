/**
 * Time as a peer has it who is to be judged by how long he takes: without that in which this process itself stood still,
 * and could not have heard him.
 */
export class SteadyTime {
  readonly #mostMs: number;
  #now = 0;
  #readAt = performance.now();

  /** `everyMs`: how often it is read. What is much more than that since the last reading was a standstill. */
  constructor(everyMs: number) {
    this.#mostMs = 2 * everyMs;
  }

  /** As of the last reading, in milliseconds. */
  get now(): number {
    return this.#now;
  }

  /** Goes on, and gives what it is now. */
  read(): number {
    const at = performance.now();
    this.#now += Math.min(at - this.#readAt, this.#mostMs);
    this.#readAt = at;
    return this.#now;
  }
}
