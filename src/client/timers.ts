/** Time and chance as arguments, so that a test moves them by hand. */
export interface Timers {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls `act` once after `ms` milliseconds; the returned function calls it off. */
  after(ms: number, act: () => void): () => void;
  /** From 0 to below 1. */
  random(): number;
}

// What setTimeout can hold; a longer wait is none in practice.
const longestMs = 2 ** 31 - 1;

/** The platform's timers. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  after(ms, act) {
    if (ms > longestMs) return () => undefined;
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
