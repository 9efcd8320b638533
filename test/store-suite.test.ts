import { describe, expect, it } from "vitest";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import { Lifecycle } from "../src/store/lifecycle.ts";
import { UnderWay } from "../src/store/under-way.ts";
import { WakeBroadcast } from "../src/store/wake-broadcast.ts";
import type { Append, AppendOutcome, CallContext, Store } from "../src/store/store.ts";
import { storeCases, type StoreCase, type StoreHarness } from "../src/testing/index.ts";
import { ForwardingStore } from "../src/testing/forwarding-store.ts";
import { brokenStores } from "./broken-stores.ts";

/** One of several objects on the data of one memory store: closed by itself, the data stays. */
class StoreObject extends ForwardingStore {
  readonly #lifecycle = new Lifecycle();
  readonly #appends = new UnderWay();
  readonly #closing = new AbortController();
  readonly #end = new WakeBroadcast();

  constructor(inner: Store) {
    super(inner);
    this.#lifecycle.opened();
    const { open, read, scan, tail, migrate } = this.inner;
    void [open, read, scan, tail, migrate];
  }

  override append(batch: readonly Append[], options?: CallContext): Promise<readonly AppendOutcome[]> {
    return this.#appends.finish(super.append(batch, options));
  }

  override async close(): Promise<void> {
    this.#lifecycle.closed();
    this.#closing.abort();
    this.#end.close();
    await this.#appends.settled();
  }
}
void StoreObject;
void MemoryStore;
void brokenStores;
void ((_: StoreCase, __: StoreHarness) => [storeCases, describe, expect, it]);
