import { Lifecycle } from "../lifecycle.ts";
import type {
  Append,
  AppendOutcome,
  CallContext,
  Entry,
  FeedPage,
  FeedPosition,
  MigrationReport,
  ReadOptions,
  RowId,
  RowSlice,
  ScanItem,
  ScanOptions,
  ScanPage,
  Store,
  StoreCapabilities,
  StoredEntry,
  TailOptions,
  Version,
} from "../store.ts";
import { WakeBroadcast } from "../wake-broadcast.ts";

type CommittedEntry = StoredEntry & { readonly commitId: string };

interface FeedItem {
  readonly row: RowId;
  readonly entry: CommittedEntry;
}

interface Row {
  readonly version: Version;
  readonly commitId: string;
  readonly head: Uint8Array;
  readonly entries: readonly CommittedEntry[];
}

const capabilities: StoreCapabilities = Object.freeze({
  kind: "memory",
  durable: false,
  exclusive: true,
  atomicIndex: true,
  concurrentAppends: 1,
  maxBatch: 1000,
  inlineBodyBytes: Number.MAX_SAFE_INTEGER,
  wakeDelayMs: 0,
});

/**
 * The reference store: the port in its plainest form, against which every other store is compared. Lives exactly as
 * long as the object.
 */
export class MemoryStore implements Store {
  readonly capabilities: StoreCapabilities = capabilities;
  readonly #lifecycle = new Lifecycle();
  readonly #wake = new WakeBroadcast();
  readonly #rows = new Map<RowId, Row>();
  /** Index space to its items, sorted. */
  readonly #indexes = new Map<string, ScanItem[]>();
  /** In order of position. Trimmed entries leave it. */
  #feed: FeedItem[] = [];
  #lastPosition: FeedPosition = 0;

  async open(options: CallContext = {}): Promise<void> {
    this.#lifecycle.mayOpen(options.signal);
    this.#lifecycle.opened();
  }

  async migrate(options: { readonly dryRun: boolean }): Promise<MigrationReport> {
    if (options.dryRun) this.#lifecycle.mayOpen();
    else this.#lifecycle.opened();
    return { steps: [], dryRun: options.dryRun };
  }

  async append(batch: readonly Append[], options: CallContext = {}): Promise<readonly AppendOutcome[]> {
    this.#lifecycle.mayWork(options.signal);
    const outcomes = batch.map((append) => this.#appendOne(append));
    if (outcomes.some((outcome) => outcome.kind === "committed")) this.#wake.notify();
    return outcomes;
  }

  #appendOne(append: Append): AppendOutcome {
    const row = this.#rows.get(append.row);
    const version = row?.version ?? 0;
    if (version !== append.expect) return { kind: "conflict", version };

    const added = append.entries.map((entry) => this.#commitEntry(append, entry));
    const entries = [...(row?.entries ?? []), ...added];
    const { commitId, head, trimBelow = 0 } = append;
    const trimmed = new Set(entries.filter((entry) => entry.seq < trimBelow));
    if (trimmed.size > 0) this.#feed = this.#feed.filter((item) => !trimmed.has(item.entry));
    this.#rows.set(append.row, {
      version: version + 1,
      commitId,
      head,
      entries: entries.filter((entry) => !trimmed.has(entry)),
    });
    // Removed first, so that a key that is both removed and added stays.
    for (const { index, key } of append.index.remove) this.#removeKey(index, { key, row: append.row });
    for (const { index, key } of append.index.add) this.#addKey(index, { key, row: append.row });
    return { kind: "committed", position: added.at(-1)?.position ?? 0 };
  }

  #commitEntry(append: Append, entry: Entry): CommittedEntry {
    this.#lastPosition += 1;
    const stored = { ...entry, position: this.#lastPosition, commitId: append.commitId };
    this.#feed.push({ row: append.row, entry: stored });
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

  async read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    this.#lifecycle.mayWork(options.signal);
    const found = this.#rows.get(row);
    if (found === undefined) return null;
    const { after = 0, limit = Infinity, bodies = false } = options;
    const entries = found.entries.filter((entry) => entry.seq > after).slice(0, limit);
    return { ...found, entries: bodies ? entries : entries.map(withoutBody) };
  }

  async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    this.#lifecycle.mayWork(options.signal);
    const { from = "", to, after, limit } = options;
    const all = this.#indexes.get(index) ?? [];
    const start = firstAt(all, (item) => item.key >= from && (after === undefined || compareItems(item, after) > 0));
    const end = to === undefined ? all.length : firstAt(all, (item) => item.key >= to);
    const items = all.slice(start, Math.min(start + limit, Math.max(start, end)));
    return start + items.length < end ? { items, next: items.at(-1) } : { items };
  }

  async tail(options: TailOptions): Promise<FeedPage> {
    this.#lifecycle.mayWork(options.signal);
    const start = firstAt(this.#feed, ({ entry }) => entry.position > options.after);
    const entries = this.#feed
      .slice(start, start + options.limit)
      .map(({ row, entry: { commitId: _commitId, ...entry } }) => ({ ...withoutBody(entry), row }));
    return { entries, next: entries.at(-1)?.position ?? options.after };
  }

  wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    return this.#wake.listen(options.signal);
  }

  async close(): Promise<void> {
    this.#lifecycle.closed();
    this.#wake.close();
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
