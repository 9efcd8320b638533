import { setImmediate as turn } from "node:timers/promises";
import type {
  Append,
  AppendOutcome,
  CallContext,
  FeedPage,
  ReadOptions,
  RowId,
  RowSlice,
  ScanItem,
  ScanOptions,
  ScanPage,
  Store,
  StoredEntry,
  TailOptions,
} from "../src/store/store.ts";
import { ForwardingStore } from "../src/testing/forwarding-store.ts";

/** A store that breaks its contract in one way, and the case of the suite that must not pass on it. */
export interface BrokenStore {
  /** What it does wrong. */
  readonly wrong: string;
  readonly caughtBy: string;
  /** Wraps a good one. */
  readonly breaks: (good: Store) => Store;
}

interface Changes {
  readonly append?: (good: Store, batch: readonly Append[]) => Promise<readonly AppendOutcome[]>;
  readonly read?: (good: Store, row: RowId, options: ReadOptions) => Promise<RowSlice | null>;
  readonly scan?: (good: Store, index: string, options: ScanOptions) => Promise<ScanPage>;
  readonly tail?: (good: Store, options: TailOptions) => Promise<FeedPage>;
  readonly wake?: (good: Store, signal: AbortSignal) => AsyncIterable<void>;
  readonly close?: (good: Store) => Promise<void>;
}

class ChangedStore extends ForwardingStore {
  readonly #changes: Changes;

  constructor(good: Store, changes: Changes) {
    super(good);
    this.#changes = changes;
  }

  override async append(batch: readonly Append[], options: CallContext = {}): Promise<readonly AppendOutcome[]> {
    const { append } = this.#changes;
    return append === undefined || batch.length === 0 || options.signal?.aborted === true
      ? super.append(batch, options)
      : append(this.inner, batch);
  }

  override async read(row: RowId, options: ReadOptions = {}): Promise<RowSlice | null> {
    return this.#changes.read?.(this.inner, row, options) ?? super.read(row, options);
  }

  override async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return this.#changes.scan?.(this.inner, index, options) ?? super.scan(index, options);
  }

  override async tail(options: TailOptions): Promise<FeedPage> {
    return this.#changes.tail?.(this.inner, options) ?? super.tail(options);
  }

  override wake(options: { readonly signal: AbortSignal }): AsyncIterable<void> {
    return this.#changes.wake?.(this.inner, options.signal) ?? super.wake(options);
  }

  override async close(): Promise<void> {
    await (this.#changes.close?.(this.inner) ?? super.close());
  }
}

const broken = (wrong: string, caughtBy: string, changes: Changes | (() => Changes)): BrokenStore => ({
  wrong,
  caughtBy,
  breaks: (good) => new ChangedStore(good, typeof changes === "function" ? changes() : changes),
});

/** A store that writes other appends than it was asked to. */
const writes = (wrong: string, caughtBy: string, change: (append: Append, call: number) => Append): BrokenStore =>
  broken(wrong, caughtBy, () => {
    let calls = 0;
    return {
      append: (good, batch) => {
        calls += 1;
        return good.append(batch.map((append) => change(append, calls)));
      },
    };
  });

/** A store that hands out other entries than it has. */
const readsEntries = (
  wrong: string,
  caughtBy: string,
  change: (entries: RowSlice["entries"], options: ReadOptions) => RowSlice["entries"],
): BrokenStore =>
  broken(wrong, caughtBy, {
    read: async (good, row, options) => {
      const slice = await good.read(row, options);
      return slice && { ...slice, entries: change(slice.entries, options) };
    },
  });

const feeds = (
  wrong: string,
  caughtBy: string,
  change: (page: FeedPage, options: TailOptions, good: Store) => FeedPage | Promise<FeedPage>,
): BrokenStore =>
  broken(wrong, caughtBy, { tail: async (good, options) => change(await good.tail(options), options, good) });

const scans = (
  wrong: string,
  caughtBy: string,
  change: (options: ScanOptions) => ScanOptions,
  then: (page: ScanPage) => ScanPage = (page) => page,
): BrokenStore =>
  broken(wrong, caughtBy, { scan: async (good, index, options) => then(await good.scan(index, change(options))) });

const committed: AppendOutcome = { kind: "committed", position: 0 };
const withoutBody = ({ body: _body, ...rest }: StoredEntry & { readonly commitId: string }): typeof rest => rest;
const versionOf = async (good: Store, row: RowId): Promise<number> =>
  (await good.read(row, { limit: 0 }))?.version ?? 0;

/** Writes whatever version the row is at. */
const regardless = async (good: Store, batch: readonly Append[], hesitate: boolean): Promise<readonly AppendOutcome[]> => {
  const isExpected = await Promise.all(batch.map(async ({ row, expect }) => (await versionOf(good, row)) === expect));
  if (hesitate) await turn();
  return Promise.all(
    batch.map(async (append, i): Promise<AppendOutcome> => {
      const version = await versionOf(good, append.row);
      if (hesitate && isExpected[i] !== true) return { kind: "conflict", version };
      const entries = append.entries.map((entry, n) => ({ ...entry, seq: version + 1 + n }));
      const [outcome] = await good.append([{ ...append, expect: version, entries }]);
      return outcome ?? committed;
    }),
  );
};

const lostOrTorn: readonly BrokenStore[] = [
  broken("it acknowledges a write that it lost", "read: sees what was acknowledged before, through every object", () => {
    let calls = 0;
    return {
      append: async (good, batch) => ((calls += 1) % 5 === 0 ? batch.map(() => committed) : good.append(batch)),
    };
  }),
  broken("it guesses that what is unknown was committed", "race: who writes alone on a row never conflicts", () => {
    let calls = 0;
    return {
      append: async (good, batch) => {
        calls += 1;
        if (calls % 7 !== 0) return good.append(batch);
        const [, ...rest] = batch;
        return [committed, ...(await good.append(rest))];
      },
    };
  }),
  writes("it loses the last entry of a commit", "append: several entries of one append stay together and in order", (append) => ({
    ...append,
    entries: append.entries.length > 1 ? append.entries.slice(0, -1) : append.entries,
  })),
  writes("it forgets to replace the head", "append: a row begins at version 1 and every append adds one", (append, call) =>
    call > 1 ? { ...append, head: new Uint8Array() } : append,
  ),
  broken("it does nothing when there are no entries", "append: without entries the head alone changes", {
    append: (good, batch) => good.append(batch.filter(({ entries }) => entries.length > 0)).then((outcomes) => {
      const left = [...outcomes];
      return batch.map(({ entries }) => (entries.length > 0 ? (left.shift() ?? committed) : committed));
    }),
  }),
  broken("it commits the first half of a full batch", "append: a full batch is committed", {
    append: async (good, batch) => {
      const half = batch.length > 500 ? batch.length / 2 : batch.length;
      const outcomes = await good.append(batch.slice(0, half));
      return batch.map((_, i) => outcomes[i] ?? committed);
    },
  }),
  writes("it zeroes what it was given", "append: what was handed in is left as it was", (append) => {
    const kept = { ...append, head: append.head.slice() };
    append.head.fill(0);
    return kept;
  }),
];

const wrongConditions: readonly BrokenStore[] = [
  broken("it never conflicts", "append: an older and a newer expectation conflict, naming the version", {
    append: (good, batch) => regardless(good, batch, false),
  }),
  broken("it makes a row that was expected to exist", "append: expecting a row conflicts with none at version 0", {
    append: async (good, batch) => {
      const missing = await Promise.all(batch.map(async ({ row }) => (await versionOf(good, row)) === 0));
      return good.append(batch.map((append, i) => (missing[i] === true ? { ...append, expect: 0 } : append)));
    },
  }),
  broken("it looks first and writes later", "race: of all who write on one version exactly one wins", {
    append: (good, batch) => regardless(good, batch, true),
  }),
  broken("it names a wrong version in a conflict", "append: expecting no row conflicts with one that is there", {
    append: async (good, batch) =>
      (await good.append(batch)).map((outcome) =>
        outcome.kind === "conflict" ? { kind: "conflict", version: Math.max(0, outcome.version - 1) } : outcome,
      ),
  }),
  broken("it gives outcomes in the order of the rows", "append: outcomes are independent and in the order of the batch", {
    append: (good, batch) => good.append(batch.toSorted((a, b) => (a.row < b.row ? -1 : 1))),
  }),
  broken("one conflict undoes the whole batch", "append: outcomes are independent and in the order of the batch", {
    append: async (good, batch) => {
      const versions = await Promise.all(batch.map(({ row }) => versionOf(good, row)));
      const isFine = batch.every(({ expect }, i) => expect === versions[i]);
      return isFine ? good.append(batch) : versions.map((version) => ({ kind: "conflict", version }));
    },
  }),
  broken("batches that share rows commit a row twice", "race: batches that share rows commit each row of them once", {
    append: (good, batch) => regardless(good, batch, false),
  }),
];

const wrongContent: readonly BrokenStore[] = [
  writes("it keeps heads as text", "content: odd bytes come back exactly, as head and as body", (append) => ({
    ...append,
    head: Buffer.from(Buffer.from(append.head).toString("utf8")),
  })),
  writes("it takes an empty body for none", "content: an empty body is not an absent one", (append) => ({
    ...append,
    entries: append.entries.map((entry) => (entry.body?.length === 0 ? { ...entry, body: undefined } : entry)),
  })),
  writes("it cuts a ref at U+0000", "content: a ref may hold any character", (append) => ({
    ...append,
    entries: append.entries.map((entry) => ({ ...entry, ref: entry.ref.split("\0")[0] ?? "" })),
  })),
  writes("it keeps seconds only", "content: every field of an entry comes back, in a row and in the feed", (append) => ({
    ...append,
    entries: append.entries.map((entry) => ({ ...entry, at: Math.floor(entry.at / 1000) * 1000 })),
  })),
  writes("it cuts bodies at a mebibyte", "content: a head and bodies of 8 MiB come back exactly", (append) => ({
    ...append,
    entries: append.entries.map((entry) => ({ ...entry, body: entry.body?.subarray(0, 1024 * 1024) })),
  })),
  broken("it does not tell letters from capitals", "content: rows with similar names do not mix", {
    append: (good, batch) => good.append(batch.map((append) => ({ ...append, row: append.row.toLowerCase() as RowId }))),
    read: (good, row, options) => good.read(row.toLowerCase() as RowId, options),
  }),
  readsEntries("it forgets which commit an entry came with", "append: entries keep the id of their commit", (entries) =>
    entries.map((entry) => ({ ...entry, commitId: entries.at(-1)?.commitId ?? "" })),
  ),
];

const wrongTrims: readonly BrokenStore[] = [
  writes("it forgets to trim", "trim: entries below are gone, the others stay", ({ trimBelow: _trimBelow, ...append }) => append),
  writes("it trims one too many", "trim: entries below are gone, the others stay", (append) =>
    append.trimBelow === undefined ? append : { ...append, trimBelow: append.trimBelow + 1 },
  ),
  writes("it always trims something", "trim: a bound that nothing is below removes nothing", (append) =>
    append.trimBelow === undefined ? append : { ...append, trimBelow: append.trimBelow + 2 },
  ),
  writes("it keeps at least one entry", "trim: everything may go, and the row goes on where it was", (append) =>
    append.entries.length === 0 && append.trimBelow !== undefined ? { ...append, trimBelow: append.trimBelow - 1 } : append,
  ),
  writes("it trims before it adds", "trim: it is done after the entries of the same append were added", (append) =>
    append.trimBelow === undefined ? append : { ...append, trimBelow: Math.min(append.trimBelow, append.entries[0]?.seq ?? Infinity) },
  ),
  feeds("it numbers the feed by what is left in it", "trim: a position is not given again when its entry has gone", async (_page, options, good) => {
    const { entries } = await good.tail({ after: 0, limit: 1e6 });
    const numbered = entries.map((entry, i) => ({ ...entry, position: i + 1 })).slice(options.after, options.after + options.limit);
    return { entries: numbered, next: numbered.at(-1)?.position ?? options.after };
  }),
];

const wrongReads: readonly BrokenStore[] = [
  broken("it makes up rows", "read: a row that does not exist is null", {
    read: async (good, row, options) =>
      (await good.read(row, options)) ?? { version: 0, commitId: "", head: new Uint8Array(), entries: [] },
  }),
  readsEntries("its `after` is inclusive", "read: `after` and `limit` choose the entries", (entries, { after = 0, limit = Infinity }) =>
    after > 0 && limit > 0 ? entries.slice(-1).concat(entries) : entries,
  ),
  readsEntries("it swaps bodies", "read: bodies come only when asked for, each with its entry", (entries) =>
    entries.length < 2
      ? entries
      : entries.map((entry, i) => {
          const { body } = entries[(i + 1) % entries.length] ?? {};
          return body === undefined ? withoutBody(entry) : { ...withoutBody(entry), body };
        }),
  ),
  broken("it always reads bodies", "read: bodies come only when asked for, each with its entry", {
    read: (good, row, options) => good.read(row, { ...options, bodies: true }),
  }),
  broken("it answers from a cache", "read: sees what was acknowledged before, through every object", () => {
    const cache = new Map<string, RowSlice | null>();
    return {
      read: async (good, row, options) => {
        const key = JSON.stringify([row, options]);
        const known = cache.get(key);
        cache.set(key, await good.read(row, options));
        return known ?? cache.get(key) ?? null;
      },
    };
  }),
  broken("it reads the head before the entries", "read: head and entries are of one moment while the row grows", {
    read: async (good, row, options) => {
      const head = await good.read(row, { limit: 0 });
      await turn();
      const slice = await good.read(row, options);
      return head && slice && { ...head, entries: slice.entries };
    },
  }),
  readsEntries("it gives positions of its own", "read: the position is that of the feed, or left to it", (entries) =>
    entries.map((entry) => ({ ...entry, position: entry.position + 1 })),
  ),
  broken("it acknowledges at positions of its own", "append: the position is that of the last entry, or the feed's secret", {
    append: async (good, batch) =>
      (await good.append(batch)).map((outcome) =>
        outcome.kind === "committed" ? { ...outcome, position: outcome.position + 1 } : outcome,
      ),
  }),
];

const isSame = (a: ScanItem, b: ScanItem): boolean => a.key === b.key && a.row === b.row;

const wrongIndexes: readonly BrokenStore[] = [
  broken("it removes index keys before the commit", "append: a conflict writes nothing at all", () => {
    const removed: (ScanItem & { readonly index: string })[] = [];
    return {
      append: (good, batch) => {
        for (const { row, index } of batch) for (const key of index.remove) removed.push({ ...key, row });
        return good.append(batch);
      },
      scan: async (good, index, options) => {
        const page = await good.scan(index, options);
        const isGone = (item: ScanItem): boolean => removed.some((gone) => gone.index === index && isSame(gone, item));
        return { ...page, items: page.items.filter((item) => !isGone(item)) };
      },
    };
  }),
  broken("it removes a key, commits, and adds the next", "index: a row that moves between keys is never out of the index", {
    append: async (good, batch) => {
      const without = batch.map((append) => ({ ...append, index: { add: [], remove: append.index.remove } }));
      const outcomes = await good.append(without);
      await turn();
      await turn();
      const touch = batch.map(({ row, expect, commitId, head, index }) => ({
        row,
        expect: expect + 1,
        commitId,
        head,
        entries: [],
        index: { add: index.add, remove: [] },
      }));
      await good.append(touch);
      return outcomes;
    },
    // Its versions count double, which is not what this is about.
  }),
  writes("it adds no keys after the first commit", "index: keys are added and removed with the commit", (append, call) =>
    call === 1 ? append : { ...append, index: { ...append.index, add: [] } },
  ),
  writes("it never removes keys", "index: keys are added and removed with the commit", (append) => ({
    ...append,
    index: { ...append.index, remove: [] },
  })),
  broken("it removes keys of other rows", "index: adding twice and removing what is not there change nothing", () => {
    const gone = new Set<string>();
    return {
      append: (good, batch) => {
        for (const { index } of batch) for (const { key, index: space } of index.remove) gone.add(`${space} ${key}`);
        return good.append(batch);
      },
      scan: async (good, index, options) => {
        const page = await good.scan(index, options);
        return { ...page, items: page.items.filter(({ key }) => !gone.has(`${index} ${key}`)) };
      },
    };
  }),
  writes("it removes after it adds", "index: a key that is both removed and added stays", (append) => ({
    ...append,
    index: {
      remove: append.index.remove,
      add: append.index.add.filter(({ key }) => !append.index.remove.some((gone) => gone.key === key)),
    },
  })),
  broken("it sorts like people do", "scan: keys come in the order of their bytes, then of their rows", {
    scan: async (good, index, options) => {
      const page = await good.scan(index, options);
      return { ...page, items: page.items.toSorted((a, b) => a.key.localeCompare(b.key) || a.row.localeCompare(b.row)) };
    },
  }),
  scans("its `to` is inclusive", "scan: `from` is inclusive, `to` is exclusive", (options) =>
    options.to === undefined ? options : { ...options, to: `${options.to} ` },
  ),
  scans("its cursor forgets the row", "scan: pages of any size give every item once, and the last has no `next`", (options) =>
    options.after === undefined ? options : { ...options, after: { ...options.after, row: "~" as RowId } },
  ),
  scans(
    "it says it is done when a page is full",
    "scan: pages of any size give every item once, and the last has no `next`",
    (options) => options,
    ({ items }) => ({ items }),
  ),
  scans("a cursor makes it forget the bounds", "scan: the cursor need not be an item, and bounds still hold behind it", (options) =>
    options.after === undefined ? options : { after: options.after, limit: options.limit },
  ),
  broken("one index space reaches into another", "scan: index spaces do not mix", {
    scan: async (good, index, options) => {
      const [own, other] = [await good.scan(index, options), await good.scan(`${index}/`, options)];
      return { ...own, items: [...own.items, ...other.items] };
    },
  }),
];

const wrongFeeds: readonly BrokenStore[] = [
  feeds("it skips what committed late", "feed: complete and in order while several commit and one reads on", (page) => ({
    ...page,
    entries: page.entries.filter(({ position }) => position % 50 !== 49),
  })),
  feeds("it gives the entry at the cursor again", "feed: `after` is exclusive, and a cursor may lie between entries or behind the last", async (page, { after, limit }, good) =>
    after === 0 ? page : good.tail({ after: after - 1, limit: limit + 1 }).then(({ entries }) => ({ entries: entries.slice(0, limit), next: page.next })),
  ),
  feeds("it goes by rows, not by commits", "feed: entries come in the order of their commits, at rising positions", ({ entries, next }) => ({
    entries: entries.toSorted((a, b) => (a.row < b.row ? -1 : a.row > b.row ? 1 : a.seq - b.seq)),
    next,
  })),
  feeds("it repeats the end of a page", "feed: pages of any size give every entry once", (page) => {
    const last = page.entries.at(-1);
    return page.entries.length > 1 && last !== undefined ? { ...page, next: last.position - 1 } : page;
  }),
  broken("it hands out bodies", "feed: entries come without bodies", {
    tail: async (good, options) => {
      const page = await good.tail(options);
      return { ...page, entries: page.entries.map((entry) => ({ ...entry, body: new Uint8Array() })) };
    },
  }),
  feeds("it shows what conflicted", "feed: conflicts and changed heads leave nothing in it", ({ entries, next }) => ({
    entries: entries.flatMap((entry, i) => (i === 0 ? [entry, { ...entry, seq: 2 }] : [entry])),
    next,
  })),
  broken("it numbers the feed for each object", "feed: it is the same from whichever object it is read", () => {
    const shift = (shifts += 1);
    return {
      tail: async (good, options) => {
        const { entries, next } = await good.tail({ ...options, after: Math.max(0, options.after - shift) });
        return { entries: entries.map((entry) => ({ ...entry, position: entry.position + shift })), next: next + shift };
      },
    };
  }),
  broken("it begins a new feed when it is opened", "feed: positions go on rising after everything was closed and opened again", () => {
    let first: number | undefined;
    return {
      tail: async (good, options) => {
        first ??= Math.max(0, (await good.tail({ after: 0, limit: 1 })).entries[0]?.position ?? 1) - 1;
        const base = first;
        const { entries } = await good.tail({ ...options, after: options.after + base });
        const shown = entries.map((entry) => ({ ...entry, position: entry.position - base }));
        return { entries: shown, next: shown.at(-1)?.position ?? options.after };
      },
    };
  }),
];
let shifts = 0;

async function* never(): AsyncGenerator<void> {
  // No hint, and an end at once.
}

async function* deaf(hints: AsyncIterable<void>): AsyncGenerator<void> {
  yield* hints;
}

async function* endless(hints: AsyncIterable<void>): AsyncGenerator<void> {
  yield* hints;
  yield;
}

const wrongLives: readonly BrokenStore[] = [
  broken("it never wakes", "wake: a commit wakes every listener", { wake: never }),
  broken("it listens from the first turn of the loop on", "wake: it listens from the call on, also before it is iterated", {
    wake: (good, signal) => lazily(() => good.wake({ signal })),
  }),
  broken("it does not hear other objects", "wake: a commit through another object wakes too", () => {
    const own = { commits: 0 };
    return {
      append: (good, batch) => {
        own.commits += 1;
        return good.append(batch);
      },
      wake: (good, signal) => (own.commits === 0 ? never() : good.wake({ signal })),
    };
  }),
  broken("its wake goes on after the signal", "wake: it ends when the signal fires, at once when it has fired", {
    wake: (good, signal) => endless(good.wake({ signal })),
  }),
  broken("its wake does not end when it closes", "wake: it ends when the store closes, and does not begin afterwards", {
    wake: (good, signal) => hanging(good.wake({ signal })),
  }),
  broken("it goes on when the loop was left", "wake: leaving the loop frees the listener", {
    wake: (good, signal) => ({ [Symbol.asyncIterator]: () => ({ ...good.wake({ signal }), next: async () => ({ done: false, value: undefined }) }) }),
  }),
  {
    wrong: "its capabilities change",
    caughtBy: "life: the capabilities are frozen and make sense",
    breaks: (good) => {
      const store = new ChangedStore(good, {});
      Object.defineProperty(store, "capabilities", { value: { ...good.capabilities } });
      return store;
    },
  },
  broken("it goes on when it is closed", "life: a store that is closed refuses every operation", { close: async () => undefined }),
  broken("it cannot be closed twice", "life: closing twice, or at once from two places, is fine", () => {
    let isClosed = false;
    return {
      close: async (good) => {
        if (isClosed) throw new Error("already closed");
        isClosed = true;
        await good.close();
      },
    };
  }),
  {
    wrong: "it does not look at the signal",
    caughtBy: "life: a cancelled call is refused and writes nothing",
    breaks: (good) => new SignalBlind(good),
  },
  {
    wrong: "it migrates every time",
    caughtBy: "life: opening and migrating again change nothing",
    breaks: (good) => new Remigrating(good),
  },
  broken("it drops appends under way when it closes", "life: closing waits for appends under way", () => {
    let isClosed = false;
    return {
      append: async (good, batch) => {
        await turn();
        return isClosed ? batch.map(() => ({ kind: "unknown", cause: undefined })) : good.append(batch);
      },
      close: async (good) => {
        isClosed = true;
        await good.close();
      },
    };
  }),
];

class SignalBlind extends ForwardingStore {
  override append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    return super.append(batch);
  }
}

class Remigrating extends ForwardingStore {
  override async migrate(options: { readonly dryRun: boolean }): ReturnType<Store["migrate"]> {
    return { steps: [{ id: 1, name: "again", statements: "" }], dryRun: options.dryRun };
  }
}

async function* lazily(hints: () => AsyncIterable<void>): AsyncGenerator<void> {
  yield* hints();
}

async function* hanging(hints: AsyncIterable<void>): AsyncGenerator<void> {
  yield* hints;
  await new Promise(() => undefined);
}

/** Stores that break one sentence of the port each. */
export const brokenStores: readonly BrokenStore[] = [
  ...lostOrTorn,
  ...wrongConditions,
  ...wrongContent,
  ...wrongTrims,
  ...wrongReads,
  ...wrongIndexes,
  ...wrongFeeds,
  ...wrongLives,
];
