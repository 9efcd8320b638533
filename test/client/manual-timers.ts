import type { Timers } from "../../src/client/timers.ts";

/** Timers that a test moves by hand. */
export class ManualTimers implements Timers {
  /** How long each wait was asked to be, in order, also those called off. */
  readonly asked: number[] = [];
  #now = 0;
  readonly #pending = new Set<{ readonly at: number; readonly act: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, act: () => void): () => void {
    const timer = { at: this.#now + ms, act };
    this.asked.push(ms);
    this.#pending.add(timer);
    return () => this.#pending.delete(timer);
  }

  random(): number {
    return 0;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Moves the clock and lets everything due happen, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = [...this.#pending].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = next.at;
      this.#pending.delete(next);
      next.act();
    }
    this.#now = until;
  }
}
