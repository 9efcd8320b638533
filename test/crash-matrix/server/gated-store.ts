import { Turnstile } from "../../../src/reactor/turnstile.ts";
import type { Append, AppendOutcome, CallContext, Store, StoreCapabilities } from "../../../src/store/store.ts";
import { ForwardingStore } from "../../../src/testing/forwarding-store.ts";
import type { Watches } from "./watches.ts";

/** Appends that may be held while others go on. */
const heldAppends = 256;

/** The store of a server, whose appends stop where somebody wants to see them. */
export class GatedStore extends ForwardingStore {
  readonly #watches: Watches;
  readonly #turnstile: Turnstile;

  constructor(inner: Store, watches: Watches) {
    super(inner);
    this.#watches = watches;
    this.#turnstile = new Turnstile(inner.capabilities.concurrentAppends);
  }

  /**
   * An append that is held must not keep others from the store: they are the load. While calls are held at their second
   * append, no two rows share one, so that none waits for another's second append with its first.
   */
  override get capabilities(): StoreCapabilities {
    const { concurrentAppends, maxBatch } = this.inner.capabilities;
    return {
      ...this.inner.capabilities,
      concurrentAppends: concurrentAppends + heldAppends,
      maxBatch: this.#watches.holdsLaterAppends ? 1 : maxBatch,
    };
  }

  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    const caught = this.#watches.appending(batch);
    await this.#watches.reached(caught, "decided", "committing");
    const outcomes = await this.#turnstile.pass(() => {
      const appending = this.inner.append(batch, options);
      if (caught.some(({ watch }) => watch.step === "committing")) this.#watches.sent();
      return appending;
    });
    await this.#watches.reached(caught, "committed");
    return outcomes;
  }
}
