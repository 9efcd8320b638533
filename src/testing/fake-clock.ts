import type { Clock } from "../engine/clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** How many turns of the event loop {@link FakeClock.settle} gives to promises, sockets and worker threads. */
const settleTurns = 4;

/** A clock that stands still until a test moves it: no test waits for real time, and every run sees the same times. */
export class FakeClock implements Clock {
  #now: number;
  #sleepers: readonly Sleeper[] = [];

  /** @param startMs Milliseconds since 1970; the default is 1 January 2026, 00:00 UTC. */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const wake = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#now + ms, wake };
      // Stable sort: of two sleepers with one due time the first to fall asleep wakes first.
      this.#sleepers = [...this.#sleepers, sleeper].toSorted((a, b) => a.at - b.at);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** How many callers are asleep; for tests that nothing keeps waiting after it was closed. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Moves the time forward by `ms` milliseconds, waking sleepers in the order of their due times, each at its time. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let next = this.#sleepers[0]; next !== undefined && next.at <= end; next = this.#sleepers[0]) {
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await this.settle();
    }
    this.#now = end;
    await this.settle();
  }

  /** Sets the time without waking anybody, backwards too: a clock that someone corrected (R8). */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Lets promises, and work that needs a few turns of the event loop, go on. It cannot wait for a disk or a socket. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < settleTurns; turn += 1) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
}
