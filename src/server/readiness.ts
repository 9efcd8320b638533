import type { Clock } from "../engine/clock.ts";
import { TapeError } from "../errors.ts";

/** What a server says of itself. */
export interface ReadinessReport {
  readonly ready: boolean;
  /** One line for people: the store's round trip, or what is wrong. */
  readonly detail: string;
}

/** What it takes to find out. */
export interface ReadinessOptions {
  /** A round trip to the store, in milliseconds. */
  readonly ping: (signal: AbortSignal) => Promise<number>;
  /** Fires when the server begins to stop. */
  readonly closing: AbortSignal;
  readonly clock: Clock;
  /** After this many milliseconds a store counts as not answering. */
  readonly timeoutMs: number;
  /** How often a watcher looks again, in milliseconds. */
  readonly pollMs: number;
}

/** Whether calls can be taken: the store answers, and the server is not stopping. */
export class Readiness {
  readonly #options: ReadinessOptions;
  #underWay: Promise<ReadinessReport> | undefined;
  #last = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** What was found out last; `false` before. */
  get isReady(): boolean {
    return this.#last && !this.#options.closing.aborted;
  }

  /** Asks the store. Any number of askers share one round trip, so that probes cannot add to a store's troubles. */
  check(): Promise<ReadinessReport> {
    if (this.#options.closing.aborted) return Promise.resolve({ ready: false, detail: "the server is stopping" });
    this.#underWay ??= this.#ask().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  /** Whether it is ready: now and at every change, until the signal fires or the server stops. */
  async *watch(signal: AbortSignal): AsyncGenerator<boolean, void, undefined> {
    const { closing, clock, pollMs } = this.#options;
    const waking = new AbortController();
    const wake = (): void => waking.abort();
    signal.addEventListener("abort", wake);
    closing.addEventListener("abort", wake);
    let last: boolean | undefined;
    try {
      while (!signal.aborted) {
        const { ready } = await this.check();
        if (ready !== last) yield ready;
        last = ready;
        if (closing.aborted) return;
        await clock.sleep(pollMs, waking.signal);
      }
    } finally {
      signal.removeEventListener("abort", wake);
      closing.removeEventListener("abort", wake);
    }
  }

  /** Resolves when the signal fires or the server stops. */
  stopped(signal: AbortSignal): Promise<void> {
    const { closing } = this.#options;
    return new Promise((resolve) => {
      const stop = (): void => {
        signal.removeEventListener("abort", stop);
        closing.removeEventListener("abort", stop);
        resolve();
      };
      signal.addEventListener("abort", stop);
      closing.addEventListener("abort", stop);
      if (signal.aborted || closing.aborted) stop();
    });
  }

  async #ask(): Promise<ReadinessReport> {
    const { ping, clock, timeoutMs } = this.#options;
    const waiting = new AbortController();
    const late = clock.sleep(timeoutMs, waiting.signal).then((): ReadinessReport => {
      waiting.abort(new TapeError("DEADLINE_EXCEEDED", "the store did not answer in time"));
      return { ready: false, detail: `the store did not answer within ${timeoutMs} ms` };
    });
    const answer = ping(waiting.signal).then(
      (ms): ReadinessReport => ({ ready: true, detail: `the store answers in ${ms.toFixed(1)} ms` }),
      (error: unknown): ReadinessReport => ({ ready: false, detail: faultOf(error) }),
    );
    const report = await Promise.race([answer, late]);
    waiting.abort();
    this.#last = report.ready;
    return report;
  }
}

// Only our own messages are known to hold no secret, and probes are open to everyone.
function faultOf(error: unknown): string {
  return error instanceof TapeError ? `${error.reason}: ${error.message}` : "the store cannot be asked";
}
