import type { IndexKey, RowId } from "../model/row.ts";
import type { Store, StoredKey } from "../store/store.ts";
import { includesKey } from "./committer.ts";
import { indexedTarget, wantedKeys } from "./indexed-rows.ts";
import { withoutStaleKeys } from "./key-fence.ts";
import type { Pipeline } from "./pipeline.ts";

/** Rows that are looked at together. */
const atOnce = 8;

/** A row with keys that it did not want when it was looked at. */
export interface Suspect {
  readonly row: RowId;
  readonly keys: readonly IndexKey[];
}

/**
 * Takes away index keys that are one too many: leftovers of writers that died between index and commit. Done in two looks.
 * The first one reads rows as they are and only suspects: a key whose append is under way looks the same. The second one,
 * some time later, decides on the row by a commit of its own, after which an append that the key was for can no longer
 * come; so nothing depends on how long that time was, which only spares those appends a conflict.
 */
export class StaleKeys {
  readonly #store: Store;
  readonly #pipeline: Pipeline;
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure Told of every row that could not be looked at; it must not keep the others. */
  constructor(store: Store, pipeline: Pipeline, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#pipeline = pipeline;
    this.#onFailure = onFailure;
  }

  /** Which of these keys their rows do not want, as they are just now. */
  async suspect(keys: readonly StoredKey[]): Promise<readonly Suspect[]> {
    const byRow = new Map<RowId, IndexKey[]>();
    for (const { row, index, key } of keys) byRow.set(row, [...(byRow.get(row) ?? []), { index, key }]);
    const found = await this.#each([...byRow], async ([row, stored]): Promise<Suspect> => {
      const target = indexedTarget(row);
      // Of a kind that a newer Tape has made.
      if (target === undefined) return { row, keys: [] };
      const wanted = await wantedKeys(this.#store, target);
      return { row, keys: stored.filter((key) => !includesKey(wanted, key)) };
    });
    return found.filter((suspect) => suspect.keys.length > 0);
  }

  /** Takes away what is still not wanted; gives how many keys. */
  async remove(suspects: readonly Suspect[]): Promise<number> {
    const removed = await this.#each(suspects, async ({ row, keys }) => {
      const target = indexedTarget(row);
      return target === undefined ? 0 : this.#pipeline.changeKeys(target, withoutStaleKeys(keys, true));
    });
    return removed.reduce((sum, count) => sum + count, 0);
  }

  async #each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    const done: R[] = [];
    for (let from = 0; from < items.length; from += atOnce) {
      const settled = await Promise.allSettled(items.slice(from, from + atOnce).map(work));
      for (const outcome of settled) {
        if (outcome.status === "fulfilled") done.push(outcome.value);
        else this.#onFailure(outcome.reason);
      }
    }
    return done;
  }
}
