import type { Store } from "../src/store/store.ts";

/** The store, saying of itself that others write it too; it may be used by several engines at once. */
export function sharedStore(store: Store): Store {
  return {
    capabilities: { ...store.capabilities, exclusive: false },
    open: (options) => store.open(options),
    migrate: (options) => store.migrate(options),
    append: (batch, options) => store.append(batch, options),
    read: (row, options) => store.read(row, options),
    scan: (index, options) => store.scan(index, options),
    tail: (options) => store.tail(options),
    wake: (options) => store.wake(options),
    close: () => store.close(),
  };
}
