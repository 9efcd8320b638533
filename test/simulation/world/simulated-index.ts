import type { IndexKey, RowId, ScanItem, ScanOptions, ScanPage, StoredKey, Version } from "../../../src/store/store.ts";

/**
 * The index of a store that cannot change it together with the row. As on such a store, a key remembers for which version
 * of its row it was added, and whoever removes it says up to which: a key added again meanwhile stays.
 */
export class SimulatedIndex {
  /** Index to row to key to version. */
  readonly #keys = new Map<string, Map<RowId, Map<string, Version>>>();

  add(row: RowId, { index, key }: IndexKey, version: Version): void {
    const rows = this.#keys.get(index) ?? new Map<RowId, Map<string, Version>>();
    this.#keys.set(index, rows);
    const keys = rows.get(row) ?? new Map<string, Version>();
    rows.set(row, keys);
    keys.set(key, Math.max(version, keys.get(key) ?? 0));
  }

  remove(row: RowId, { index, key }: IndexKey, version: Version): void {
    const keys = this.#keys.get(index)?.get(row);
    if (keys !== undefined && (keys.get(key) ?? 0) <= version) keys.delete(key);
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
    const all: ScanItem[] = [];
    for (const [row, keys] of this.#keys.get(index) ?? []) {
      for (const key of keys.keys()) {
        const isWanted = key >= from && (to === undefined || key < to);
        if (isWanted && (after === undefined || compare({ key, row }, after) > 0)) all.push({ key, row });
      }
    }
    all.sort(compare);
    const items = all.slice(0, limit);
    return items.length < all.length ? { items, next: items.at(-1) } : { items };
  }
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
