import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import type { Append, FeedEntry, RowSlice, ScanItem, Store } from "../../src/store/store.ts";
import { appendTo, commit, feedOf, rowOf, scanAll } from "../../src/testing/test-store/material.ts";

/** Batches of appends. */
export type Content = readonly (readonly Append[])[];

/** What {@link everything} finds. */
export interface Everything {
  readonly rows: readonly RowSlice[];
  readonly indexes: readonly (readonly ScanItem[])[];
  readonly feed: readonly FeedEntry[];
}

const isBytes = (key: string): boolean => key === "head" || key === "body";

/** What stands in the fixtures of every SQL engine. */
export async function content(): Promise<Content> {
  const text = await readFile(join(import.meta.dirname, "sqlite", "content.json"), "utf8");
  const revive = (key: string, value: unknown): unknown =>
    isBytes(key) ? new Uint8Array(Buffer.from(String(value), "base64")) : value;
  return JSON.parse(text, revive) as Content;
}

/** The content with heads that are texts: the oldest SQLite files also hold others, which no store need take any more. */
export async function textContent(): Promise<Content> {
  const inText = (head: Uint8Array): Uint8Array =>
    isUtf8(head) && !head.includes(0) ? head : Buffer.from(JSON.stringify({ bytes: [...head] }));
  return (await content()).map((batch) => batch.map((append) => ({ ...append, head: inText(append.head) })));
}

/** Appends it all. */
export async function writeAll(store: Store, batches: Content): Promise<void> {
  for (const batch of batches) await commit(store, ...batch);
}

/** A store that is known to be right, with the content. */
export async function oracleOf(batches: Content): Promise<Store> {
  const oracle = new MemoryStore();
  await oracle.open();
  await writeAll(oracle, batches);
  return oracle;
}

/** Everything in a store that the content can have touched. */
export async function everything(store: Store, batches: Content): Promise<Everything> {
  const appends = batches.flat();
  const rows = [...new Set(appends.map(({ row }) => row))];
  const spaces = [...new Set(appends.flatMap(({ index }) => index.add.map((key) => key.index)))];
  return {
    rows: await Promise.all(rows.map((row) => rowOf(store, row))),
    indexes: await Promise.all(spaces.map((space) => scanAll(store, space))),
    feed: await feedOf(store, 0),
  };
}

/** Positions differ from store to store; what they say is the order. */
export function ranked({ rows, indexes, feed }: Everything): Everything {
  const rank = new Map(feed.map(({ position }, i) => [position, i + 1]));
  const inRank = <T extends { readonly position: number }>(entry: T): T => ({
    ...entry,
    position: rank.get(entry.position) ?? Number.NaN,
  });
  return { indexes, feed: feed.map(inRank), rows: rows.map((row) => ({ ...row, entries: row.entries.map(inRank) })) };
}

/** {@link Everything} where a row's own entries do not know their places in the feed. */
const unplaced = ({ rows, ...rest }: Everything): Everything => ({
  ...rest,
  rows: rows.map((row) => ({ ...row, entries: row.entries.map((entry) => ({ ...entry, position: 0 })) })),
});

/** A journal that was read back must hold the content, and go on where it ends. */
export async function mustHoldAndGoOn(store: Store, batches: Content): Promise<void> {
  const oracle = await oracleOf(batches);
  const before = await everything(store, batches);
  assert.deepEqual(unplaced(ranked(before)), unplaced(ranked(await everything(oracle, batches))));
  const next = appendTo("p/run/b", 2, { commitId: "next" });
  await commit(store, next);
  await commit(oracle, next);
  const feed = await feedOf(store, before.feed.length + 1);
  assert.deepEqual(feed.slice(0, -1), before.feed);
  const after = { ...(await everything(store, batches)), feed };
  assert.deepEqual(unplaced(ranked(after)), unplaced(ranked(await everything(oracle, batches))));
}
