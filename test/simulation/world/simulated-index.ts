import type { IndexKey, RowId, ScanItem, ScanOptions, ScanPage, StoredKey, Version } from "../../../src/store/store.ts";

/**
 * The index of a store that cannot change it together with the row. As on such a store, a key remembers for which version
 * of its row it was added, and whoever removes it says up to which: a key added again meanwhile stays.
 */
export class SimulatedIndex {
  /** Index to row to key to version. */
  readonly #keys = new Map<string, Map<RowId, Map<string, Version>>>();
  /** Index to its keys in order, as long as they have not changed. */
  readonly #sorted = new Map<string, readonly ScanItem[]>();

  add(row: RowId, { index, key }: IndexKey, version: Version): void {
    const rows = this.#keys.get(index) ?? new Map<RowId, Map<string, Version>>();
    this.#keys.set(index, rows);
    const keys = rows.get(row) ?? new Map<string, Version>();
    rows.set(row, keys);
    if (!keys.has(key)) this.#sorted.delete(index);
    keys.set(key, Math.max(version, keys.get(key) ?? 0));
  }

  remove(row: RowId, { index, key }: IndexKey, version: Version): void {
    const keys = this.#keys.get(index)?.get(row);
    if (keys !== undefined && (keys.get(key) ?? 0) <= version) keys.delete(key);
    this.#sorted.delete(index);
  }

  /** The keys of one row. */
  of(index: string, row: RowId): readonly string[] {
    return [...(this.#keys.get(index)?.get(row)?.keys() ?? [])];
  }

  /** The first keys of all indexes behind one of them, in some order that stays. */
  all(after: StoredKey | undefined, limit: number): readonly StoredKey[] {
    const behind: StoredKey[] = [];
    for (const [index, rows] of this.#keys) {
      for (const [row, keys] of rows) {
        for (const key of keys.keys()) {
          const item = { index, key, row };
          if (after === undefined || compareStored(item, after) > 0) behind.push(item);
        }
      }
    }
    return behind.toSorted(compareStored).slice(0, limit);
  }

  scan(index: string, { from = "", to, after, limit }: ScanOptions): ScanPage {
    const all = this.#inOrder(index);
    const first = firstPlace(all, (item) => item.key >= from && (after === undefined || compare(item, after) > 0));
    const end =
      to === undefined
        ? all.length
        : Math.max(
            first,
            firstPlace(all, ({ key }) => key >= to),
          );
    const items = all.slice(first, Math.min(end, first + limit));
    return first + items.length < end ? { items, next: items.at(-1) } : { items };
  }

  #inOrder(index: string): readonly ScanItem[] {
    const known = this.#sorted.get(index);
    if (known !== undefined) return known;
    const all: ScanItem[] = [];
    for (const [row, keys] of this.#keys.get(index) ?? []) for (const key of keys.keys()) all.push({ key, row });
    all.sort(compare);
    this.#sorted.set(index, all);
    return all;
  }
}

/** The first place at which this holds, which holds at all later ones too. */
function firstPlace(items: readonly ScanItem[], holds: (item: ScanItem) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function compareStored(a: StoredKey, b: StoredKey): number {
  if (a.index !== b.index) return a.index < b.index ? -1 : 1;
  return compare(a, b);
}

function compare(a: ScanItem, b: ScanItem): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  if (a.row !== b.row) return a.row < b.row ? -1 : 1;
  return 0;
}
