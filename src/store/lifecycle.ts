import { TapeError } from "../errors.ts";

/** Where a store object stands: what every store asks before it does anything. Owned by one store object. */
export class Lifecycle {
  #state: "new" | "open" | "closed" = "new";

  /** The store is connected and checked. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** To be called when the store is connected and checked. Errors: SHUTTING_DOWN. */
  opened(): void {
    this.mayOpen();
    this.#state = "open";
  }

  /** To be called first when the store closes: from now on every check fails. */
  closed(): void {
    this.#state = "closed";
  }

  /** Errors: SHUTTING_DOWN, CANCELLED. */
  mayOpen(signal?: AbortSignal): void {
    if (this.#state === "closed") {
      throw new TapeError("SHUTTING_DOWN", "the store is closed: create a new one to go on");
    }
    if (signal?.aborted === true) {
      throw new TapeError("CANCELLED", "the call was cancelled before it reached the store", { cause: signal.reason });
    }
  }

  /** The check before every operation. Errors: SHUTTING_DOWN, CANCELLED, STORE_NOT_USABLE. */
  mayWork(signal?: AbortSignal): void {
    this.mayOpen(signal);
    if (this.#state === "new") {
      throw new TapeError("STORE_NOT_USABLE", "the store is not open: call open() or migrate() first");
    }
  }
}
