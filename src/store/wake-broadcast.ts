/** What one listener has been told and not yet taken. */
interface Listener {
  /** Hints coalesce: a listener that is busy finds one, however many commits there were. */
  pending: boolean;
  wakeUp: () => void;
}

/** Hands "something was committed" to whoever listens, for {@link Store.wake}. Owned by one store object. */
export class WakeBroadcast {
  readonly #listeners = new Set<Listener>();
  #closed = false;

  /** Someone listens. A store that has to poll polls only then. */
  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  /** Tells every listener. */
  notify(): void {
    for (const listener of this.#listeners) {
      listener.pending = true;
      listener.wakeUp();
    }
  }

  /** Ends every iteration, now and from now on. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#listeners) listener.wakeUp();
  }

  /**
   * Listens from this call on, not from the first `next()`: what commits in between is not missed.
   * Ends when the signal fires or {@link close} is called.
   */
  listen(signal: AbortSignal): AsyncIterable<void> {
    const listener: Listener = { pending: false, wakeUp: () => undefined };
    const leave = (): void => {
      signal.removeEventListener("abort", leave);
      this.#listeners.delete(listener);
      listener.wakeUp();
    };
    if (!signal.aborted && !this.#closed) {
      this.#listeners.add(listener);
      signal.addEventListener("abort", leave);
    }
    return this.#iterate(listener, signal, leave);
  }

  async *#iterate(listener: Listener, signal: AbortSignal, leave: () => void): AsyncGenerator<void> {
    try {
      while (!signal.aborted && !this.#closed) {
        if (listener.pending) {
          listener.pending = false;
          yield;
        } else {
          await new Promise<void>((resolve) => {
            listener.wakeUp = resolve;
          });
        }
      }
    } finally {
      leave();
    }
  }
}
