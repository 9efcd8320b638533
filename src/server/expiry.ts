import type { Clock } from "../engine/clock.ts";
import { TapeError } from "../errors.ts";

// What the timers of the platform can hold.
const longestMs = 2 ** 31 - 1;

/** A signal that follows another one, and fires with CREDENTIALS_EXPIRED when a credential has expired. */
export class Expiry {
  readonly #ending = new AbortController();
  readonly #stopped = new AbortController();
  readonly #outer: AbortSignal;
  readonly #clock: Clock;

  /** `expiresAtMs` in milliseconds since 1970. To be stopped when what it ends is over. */
  constructor(expiresAtMs: number, outer: AbortSignal, clock: Clock) {
    this.#outer = outer;
    this.#clock = clock;
    outer.addEventListener("abort", this.#follow);
    if (outer.aborted) this.#follow();
    else void this.#watch(expiresAtMs);
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Lets go of timer and signal. Idempotent. */
  stop(): void {
    this.#stopped.abort();
    this.#outer.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => {
    this.#ending.abort(this.#outer.reason);
    this.stop();
  };

  async #watch(expiresAtMs: number): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const leftMs = expiresAtMs - this.#clock.now();
      if (leftMs <= 0) {
        this.#ending.abort(expired());
        return;
      }
      await this.#clock.sleep(Math.min(leftMs, longestMs), this.#stopped.signal);
    }
  }
}

function expired(): TapeError {
  return new TapeError(
    "CREDENTIALS_EXPIRED",
    "the token that this stream was opened with has expired; open it again with a new one, behind the last item",
  );
}
