import type {
  Append,
  AppendOutcome,
  Entry,
  FeedPage,
  FeedPosition,
  ReadOptions,
  RowId,
  RowSlice,
  ScanItem,
  ScanOptions,
  ScanPage,
  StoredEntry,
  SweepOptions,
  SweepStep,
  TailOptions,
  Version,
} from "../store.ts";

type CommittedEntry = StoredEntry & { readonly commitId: string };

interface FeedItem {
  readonly row: RowId;
  readonly entry: Omit<CommittedEntry, "body">;
}

interface Row {
  readonly version: Version;
  readonly commitId: string;
  readonly head: Uint8Array;
  readonly entries: readonly CommittedEntry[];
}

/** What a store holds, and the port's operations on it in their plainest form. */
export class MemoryData {
  readonly #rows = new Map<RowId, Row>();
  /** Index space to its items, sorted. */
  readonly #indexes = new Map<string, ScanItem[]>();
  /** In order of position. Trimmed entries leave it. */
  #feed: FeedItem[] = [];
  #lastPosition: FeedPosition = 0;
  readonly #listeners = new Set<() => void>();

  /** Calls back after every commit, until {@link unlisten}. */
  listen(onCommit: () => void): void {
    this.#listeners.add(onCommit);
  }

  unlisten(onCommit: () => void): void {
    this.#listeners.delete(onCommit);
  }

  append(batch: readonly Append[]): readonly AppendOutcome[] {
    const outcomes = batch.map((append) => this.#appendOne(append));
    if (outcomes.some((outcome) => outcome.kind === "committed")) for (const listener of this.#listeners) listener();
    return outcomes;
  }

  #appendOne(append: Append): AppendOutcome {
    const row = this.#rows.get(append.row);
    const version = row?.version ?? 0;
    if (version !== append.expect) return { kind: "conflict", version };

    const added = append.entries.map((entry) => this.#commitEntry(append, entry));
    const { commitId, head, trimBelow = 0, dropBodiesBelow = 0 } = append;
    const isTrimmed = ({ seq }: { readonly seq: number }): boolean => seq < trimBelow;
    const all = [...(row?.entries ?? []), ...added];
    if (all.some(isTrimmed))
      this.#feed = this.#feed.filter((item) => item.row !== append.row || !isTrimmed(item.entry));
    const entries = all
      .filter((entry) => !isTrimmed(entry))
      .map((entry) => (entry.seq < dropBodiesBelow ? withoutBody(entry) : entry));
    this.#rows.set(append.row, { version: version + 1, commitId, head, entries });
    // Removed first, so that a key that is both removed and added stays.
    for (const { index, key } of append.index.remove) this.#removeKey(index, { key, row: append.row });
    for (const { index, key } of append.index.add) this.#addKey(index, { key, row: append.row });
    return { kind: "committed", position: added.at(-1)?.position ?? 0 };
  }

  #commitEntry(append: Append, entry: Entry): CommittedEntry {
    this.#lastPosition += 1;
    const stored = { ...entry, position: this.#lastPosition, commitId: append.commitId };
    this.#feed.push({ row: append.row, entry: withoutBody(stored) });
    return stored;
  }

  #addKey(index: string, item: ScanItem): void {
    const items = this.#indexes.get(index) ?? [];
    const at = firstAt(items, (other) => compareItems(other, item) >= 0);
    if (!isAt(items, at, item)) items.splice(at, 0, item);
    this.#indexes.set(index, items);
  }

  #removeKey(index: string, item: ScanItem): void {
    const items = this.#indexes.get(index) ?? [];
    const at = firstAt(items, (other) => compareItems(other, item) >= 0);
    if (isAt(items, at, item)) items.splice(at, 1);
  }

  read(row: RowId, options: ReadOptions): RowSlice | null {
    const found = this.#rows.get(row);
    if (found === undefined) return null;
    const { after = 0, limit = Infinity, bodies = false } = options;
    const entries = found.entries.filter((entry) => entry.seq > after).slice(0, limit);
    return { ...found, entries: bodies ? entries : entries.map(withoutBody) };
  }

  scan(index: string, options: ScanOptions): ScanPage {
    const { from = "", to, after, limit } = options;
    const all = this.#indexes.get(index) ?? [];
    const start = firstAt(all, (item) => item.key >= from && (after === undefined || compareItems(item, after) > 0));
    const end = to === undefined ? all.length : firstAt(all, (item) => item.key >= to);
    const items = all.slice(start, Math.min(start + limit, Math.max(start, end)));
    return start + items.length < end ? { items, next: items.at(-1) } : { items };
  }

  /** Nothing is ever left behind; it names keys for stores that stand on this one and lose removals. */
  sweep({ after, limit }: SweepOptions): SweepStep {
    const all = [...this.#indexes].flatMap(([index, items]) => items.map((item) => ({ index, ...item })));
    const behind = all
      .map((item) => ({ item, place: `${item.index}\n${item.key}\n${item.row}` }))
      .filter(({ place }) => after === undefined || place > after)
      .toSorted((a, b) => (a.place < b.place ? -1 : 1));
    const page = behind.slice(0, limit);
    const keys = page.map(({ item }) => item);
    return page.length < behind.length ? { removed: 0, keys, next: page.at(-1)?.place } : { removed: 0, keys };
  }

  tail(options: TailOptions): FeedPage {
    const start = firstAt(this.#feed, ({ entry }) => entry.position > options.after);
    const entries = this.#feed
      .slice(start, start + options.limit)
      .map(({ row, entry: { commitId: _commitId, ...entry } }) => ({ ...entry, row }));
    return { entries, next: entries.at(-1)?.position ?? options.after };
  }
}

function withoutBody<E extends Entry>(entry: E): Omit<E, "body"> {
  const { body: _body, ...rest } = entry;
  return rest;
}

/** Keys and rows are printable ASCII, where JavaScript's order of strings is the order of bytes. */
function compareItems(a: ScanItem, b: ScanItem): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  if (a.row !== b.row) return a.row < b.row ? -1 : 1;
  return 0;
}

function isAt(items: readonly ScanItem[], at: number, wanted: ScanItem): boolean {
  const found = items[at];
  return found !== undefined && compareItems(found, wanted) === 0;
}

/** Index of the first item that passes, in a list where all that fail stand before all that pass. */
function firstAt<T>(list: readonly T[], passes: (item: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(list[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
