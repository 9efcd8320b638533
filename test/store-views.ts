import type { Store } from "../src/store/store.ts";

/** The store itself but for what is given. */
function view(store: Store, change: Partial<Store>): Store {
  return {
    capabilities: store.capabilities,
    open: (options) => store.open(options),
    migrate: (options) => store.migrate(options),
    append: (batch, options) => store.append(batch, options),
    read: (row, options) => store.read(row, options),
    scan: (index, options) => store.scan(index, options),
    tail: (options) => store.tail(options),
    wake: (options) => store.wake(options),
    close: () => store.close(),
    ...change,
  };
}

/** The store, saying of itself that others write it too, so that several engines may use it at once. */
export function sharedStore(store: Store): Store {
  return view(store, { capabilities: { ...store.capabilities, exclusive: false } });
}

/** The store, for one of several that use it: closing it is left to whoever opened it. */
export function borrowedStore(store: Store): Store {
  return view(store, { close: async () => undefined });
}
