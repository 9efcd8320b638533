import { TapeError } from "../errors.ts";
import type { Timers } from "./timers.ts";
import { endOf } from "./transport.ts";

/** What may end a call before its answer. */
export interface CallBounds {
  /** For messages: the RPC's name. */
  readonly name: string;
  readonly timers: Timers;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** All attempts together, in milliseconds; `Infinity` for no limit. */
  readonly timeoutMs: number;
}

/** One call with all its attempts: a single signal for the caller's wish, the deadline and the closing of the client. */
export class CallScope {
  readonly #bounds: CallBounds;
  readonly #ending = new AbortController();
  readonly #endsAt: number;
  readonly #stopTimer: () => void;
  readonly #cancel: () => void;
  /** Why the last attempt failed: says more than the deadline does. */
  lastError: TapeError | undefined;

  /** Throws CANCELLED when the caller's signal has fired, and ARGUMENT_INVALID. */
  constructor(bounds: CallBounds) {
    const { name, timers, signal, timeoutMs } = bounds;
    if (Number.isNaN(timeoutMs)) throw new TapeError("ARGUMENT_INVALID", "timeoutMs: must be a number");
    if (signal?.aborted === true) throw cancelled(name, signal);
    this.#bounds = bounds;
    this.#endsAt = timers.now() + timeoutMs;
    this.#stopTimer = timeoutMs === Infinity ? () => undefined : timers.after(timeoutMs, () => this.#expire());
    this.#cancel = () => this.end(cancelled(name, signal));
    signal?.addEventListener("abort", this.#cancel);
  }

  /** Fires when the call must end; its reason is the TapeError to end with. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Milliseconds left; `undefined` for no limit. */
  get timeLeftMs(): number | undefined {
    return this.#endsAt === Infinity ? undefined : this.#endsAt - this.#bounds.timers.now();
  }

  /** Ends the call from outside. */
  end(error: TapeError): void {
    if (!this.signal.aborted) this.#ending.abort(error);
  }

  /** Waits between two attempts. Rejects with the reason of the signal. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        callOff();
        reject(endOf(this.signal));
      };
      const callOff = this.#bounds.timers.after(ms, () => {
        this.signal.removeEventListener("abort", stop);
        resolve();
      });
      if (this.signal.aborted) stop();
      else this.signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** Lets go of timer and signal. To be called when the call has ended. */
  release(): void {
    this.#stopTimer();
    this.#bounds.signal?.removeEventListener("abort", this.#cancel);
  }

  #expire(): void {
    const { name, timeoutMs } = this.#bounds;
    const why = this.lastError === undefined ? "" : ` The last attempt: ${this.lastError.message}`;
    const message = `${name} took longer than ${timeoutMs} ms. It may still have been done; the same call again finds that out.${why}`;
    this.end(new TapeError("DEADLINE_EXCEEDED", message, { cause: this.lastError }));
  }
}

function cancelled(name: string, signal: AbortSignal | undefined): TapeError {
  return new TapeError("CANCELLED", `The caller gave up ${name}.`, { cause: signal?.reason });
}
