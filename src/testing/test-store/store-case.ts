import type { Store } from "../../store/store.ts";
import type { StoreHarness } from "./store-harness.ts";

/** One assertion of the suite; it can also be run without a test runner. */
export interface StoreCase {
  readonly name: string;
  /** What the harness must offer, else the case is skipped with this as the reason. */
  readonly needs?: "reopen" | "crash" | undefined;
  /** Rejects when the store breaks the contract. */
  readonly run: (harness: StoreHarness) => Promise<void>;
}

/** What a case works with. */
export interface StoreScene {
  /** Open, migrated, empty. */
  readonly store: Store;
  readonly harness: StoreHarness;
  /** Another object on the data of {@link store}. */
  readonly reopen: () => Promise<Store>;
  /** That many objects on the same data, the first being {@link store}; the same one when there can be one only. */
  readonly objects: (count: number) => Promise<readonly Store[]>;
}

/** A case from its body; everything it opens is closed and removed afterwards. */
export function storeCase(name: string, body: (t: StoreScene) => Promise<void>, needs?: StoreCase["needs"]): StoreCase {
  return { name, needs, run: (harness) => play(harness, body) };
}

async function play(harness: StoreHarness, body: (t: StoreScene) => Promise<void>): Promise<void> {
  const store = await harness.create();
  const others: Store[] = [];
  const reopen = async (): Promise<Store> => {
    if (harness.reopen === undefined) throw new TypeError("this case needs a harness with reopen");
    const other = await harness.reopen(store);
    others.push(other);
    return other;
  };
  const objects = async (count: number): Promise<readonly Store[]> => {
    const list = [store];
    while (list.length < count) list.push(harness.reopen === undefined ? store : await reopen());
    return list;
  };
  try {
    await body({ store, harness, reopen, objects });
  } finally {
    for (const other of others) await other.close();
    await harness.destroy(store);
  }
}
