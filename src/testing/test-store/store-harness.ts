import type { Store } from "../../store/store.ts";

/** How the suite gets at the store under test. */
export interface StoreHarness {
  /** A new store with no data, migrated and open. Called once a case, or more often; such stores share nothing. */
  readonly create: () => Promise<Store>;
  /** Removes a store that {@link create} gave, with its data; the suite may have closed it already. */
  readonly destroy: (store: Store) => Promise<void>;
  /**
   * Another store object on the data of that one, open; both may be in use together, and closing one does not close the
   * other. Absent: the data lives in the object, and cases that need two are skipped.
   */
  readonly reopen?: ((store: Store) => Promise<Store>) | undefined;
  /** How another process gets at the data. Absent: it cannot, and cases that kill a process are skipped. */
  readonly crash?: ((store: Store) => CrashTarget) | undefined;
}

/** What a child process needs to open a store. */
export interface CrashTarget {
  /** URL of an ES module that exports `createStore(url: string): Promise<Store>`, such as `tape-journal`'s own. */
  readonly module: string;
  readonly url: string;
}
