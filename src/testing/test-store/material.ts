import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { TapeError, type TapeErrorReason } from "../../errors.ts";
import type { Append, AppendOutcome, Entry, FeedEntry, IndexKey, RowId, ScanItem, Store } from "../../store/store.ts";

const encoder = new TextEncoder();

/** UTF-8. */
export const bytes = (text: string): Uint8Array => encoder.encode(text);

/** Bytes that differ for each seed and length, with every value among them. */
export function patternBytes(length: number, seed: number): Uint8Array {
  const pattern = new Uint8Array(length);
  // More than ten times as fast as a function for each byte.
  for (let i = 0; i < length; i += 1) pattern[i] = i * 31 + (i >>> 8) * 7 + seed * 131;
  return pattern;
}

/** A row's name; real ones are made by `codec`. */
export const rowId = (name: string): RowId => name as RowId;

/** An entry with something recognisable in every field. */
export const entry = (seq: number, fields: Partial<Entry> = {}): Entry => ({
  seq,
  kind: "test/written",
  ref: `r/${seq}`,
  dims: `tool/${seq}`,
  meta: `{"n":${seq}}`,
  at: 1_767_225_600_000 + seq,
  trace: "",
  ...fields,
});

/** What {@link appendTo} may be told. */
export interface AppendFields extends Partial<Omit<Append, "row" | "expect" | "index">> {
  readonly add?: readonly IndexKey[];
  readonly remove?: readonly IndexKey[];
}

/** An append of one entry per version (`seq` = `expect` + 1) unless told otherwise. */
export const appendTo = (row: string, expect: number, fields: AppendFields = {}): Append => {
  const { add = [], remove = [], ...rest } = fields;
  return {
    row: rowId(row),
    expect,
    commitId: randomBytes(12).toString("base64url"),
    head: bytes(`{"version":${expect + 1}}`),
    entries: [entry(expect + 1)],
    index: { add, remove },
    ...rest,
  };
};

/** Appends a batch in which every element must be committed; gives the positions. */
export async function commit(store: Store, ...batch: readonly Append[]): Promise<readonly number[]> {
  const outcomes = await store.append(batch);
  assert.equal(outcomes.length, batch.length, "one outcome for each element");
  return outcomes.map((outcome, i) => {
    assert.equal(outcome.kind, "committed", `${batch[i]?.row} at ${batch[i]?.expect}: ${JSON.stringify(outcome)}`);
    return outcome.kind === "committed" ? outcome.position : 0;
  });
}

/** Writes that many versions of a row, an entry each. */
export async function grow(store: Store, row: string, versions: number, from = 0): Promise<void> {
  for (let version = from; version < from + versions; version += 1) await commit(store, appendTo(row, version));
}

/** The outcome of one append that must conflict at this version. */
export async function conflicts(store: Store, append: Append, version: number): Promise<void> {
  assert.deepEqual(await store.append([append]), [{ kind: "conflict", version } satisfies AppendOutcome]);
}

/** The call must be refused for this reason. */
export async function refused(call: Promise<unknown>, reason: TapeErrorReason, what: string): Promise<void> {
  const [outcome] = await Promise.allSettled([call]);
  if (outcome.status === "fulfilled") assert.fail(`${what} should have been refused with ${reason}`);
  const error: unknown = outcome.reason;
  assert.ok(error instanceof TapeError, `${what} rejects with TapeError only: ${String(error)}`);
  assert.equal(error.reason, reason, `${what}: ${error.message}`);
}

/** A row that must exist, with its bodies. */
export async function rowOf(store: Store, row: string): Promise<NonNullable<Awaited<ReturnType<Store["read"]>>>> {
  const slice = await store.read(rowId(row), { bodies: true });
  assert.ok(slice !== null, `row ${row} should be there`);
  return slice;
}

/** The seqs a row has. */
export const seqsOf = async (store: Store, row: string): Promise<readonly number[]> =>
  (await rowOf(store, row)).entries.map(({ seq }) => seq);

/** A whole range of an index, page by page. */
export async function scanAll(
  store: Store,
  index: string,
  range: { readonly from?: string; readonly to?: string; readonly after?: ScanItem } = {},
  limit = 100,
): Promise<readonly ScanItem[]> {
  const items: ScanItem[] = [];
  let { after } = range;
  do {
    const page = await store.scan(index, { ...range, after, limit });
    assert.ok(page.items.length <= limit, "a page holds at most `limit` items");
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

/** `key>row` for each item. */
export const keysOf = async (...call: Parameters<typeof scanAll>): Promise<readonly string[]> =>
  (await scanAll(...call)).map(({ key, row }) => `${key}>${row}`);

/** How long a store that lags may take to show in the feed what it has committed. */
const feedLagMs = 10_000;
const pauseMs = 5;

/** The feed behind a position, until it holds at least that many entries. */
export async function feedOf(store: Store, count: number, after = 0, limit = 100): Promise<readonly FeedEntry[]> {
  const entries: FeedEntry[] = [];
  let cursor = after;
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    for (;;) {
      const page = await store.tail({ after: cursor, limit });
      assert.ok(page.entries.length <= limit, "a page holds at most `limit` entries");
      assert.ok(page.next >= (page.entries.at(-1)?.position ?? cursor), "`next` never falls back");
      entries.push(...page.entries);
      if (page.next === cursor) break;
      cursor = page.next;
    }
    if (entries.length >= count) return entries;
    assert.ok(waitedMs < feedLagMs, `${entries.length} of ${count} entries came in the feed`);
    await pause(pauseMs);
  }
}

/** `row:seq` for each entry of the feed. */
export const namesOf = (entries: readonly FeedEntry[]): readonly string[] =>
  entries.map(({ row, seq }) => `${row}:${seq}`);

/** Lets other work go on. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** A wait that fails instead of hanging. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `${what} took longer than ${ms} ms` })), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does something again and again while other work is under way; gives how often. */
export async function during(work: Promise<unknown>, again: () => Promise<void>): Promise<number> {
  const state = { isOver: false };
  const working = work.finally(() => {
    state.isOver = true;
  });
  const repeating = async (): Promise<number> => {
    let times = 0;
    for (; !state.isOver; times += 1) {
      await again();
      await new Promise(setImmediate);
    }
    return times;
  };
  const [times] = await Promise.all([repeating(), working]);
  return times;
}

/** Numbers from 0 to n - 1. */
export const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Appends of several writers, never two at once on one object: that is all that every store can take. */
export function inTurn(): (store: Store, batch: readonly Append[]) => Promise<readonly AppendOutcome[]> {
  const last = new Map<Store, Promise<unknown>>();
  return (store, batch) => {
    const next = (last.get(store) ?? Promise.resolve()).then(() => store.append(batch));
    last.set(
      store,
      next.catch(() => undefined),
    );
    return next;
  };
}
