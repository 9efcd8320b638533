import type { RowId, Store, StoreCapabilities } from "../../src/store/store.ts";
import { broken, ChangedStore, type BrokenStore } from "./broken-store.ts";

/** A store that may leave index keys behind, and does not say which. */
class SilentSweeper extends ChangedStore {
  constructor(good: Store) {
    super(good, { sweep: async () => ({ removed: 0, keys: [] }) });
  }

  override get capabilities(): StoreCapabilities {
    return { ...super.capabilities, atomicIndex: false };
  }
}

/** Removes the bodies of row `a`. */
async function dropBodies(good: Store): Promise<void> {
  const row = "a" as RowId;
  const slice = await good.read(row);
  if (slice === null) return;
  const { version: expect, commitId, head, entries } = slice;
  const dropBodiesBelow = (entries.at(-1)?.seq ?? 0) + 1;
  await good.append([{ row, expect, commitId, head, entries: [], dropBodiesBelow, index: { add: [], remove: [] } }]);
}

/** Stores that get it wrong. */
export const wrongSweeps: readonly BrokenStore[] = [
  broken("its sweep begins anew for ever", "sweep: it comes to its end, and nobody sees a difference", {
    sweep: async () => ({ removed: 0, next: "again" }),
  }),
  broken("its sweep takes what is in use", "sweep: it comes to its end, and nobody sees a difference", {
    sweep: async (good) => {
      await dropBodies(good);
      return { removed: 1 };
    },
  }),
  broken("its sweep takes what was written just now", "sweep: commits go on beside it, and lose nothing", {
    sweep: async (good) => {
      await dropBodies(good);
      return { removed: 1 };
    },
  }),
  {
    wrong: "its sweep says nothing of index keys that may have been left behind",
    caughtBy: "sweep: every index key is named, where one may be left behind",
    breaks: (good) => new SilentSweeper(good),
  },
];
