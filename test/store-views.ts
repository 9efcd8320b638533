import type { Store, StoreCapabilities } from "../src/store/store.ts";
import { ForwardingStore } from "../src/testing/forwarding-store.ts";

class SharedStore extends ForwardingStore {
  override get capabilities(): StoreCapabilities {
    return { ...this.inner.capabilities, exclusive: false };
  }
}

class BorrowedStore extends ForwardingStore {
  override close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The store, saying of itself that others write it too, so that several engines may use it at once. */
export function sharedStore(store: Store): Store {
  return new SharedStore(store);
}

/** The store, for one of several that use it: closing it is left to whoever opened it. */
export function borrowedStore(store: Store): Store {
  return new BorrowedStore(store);
}
