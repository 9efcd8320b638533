import type { RowId } from "../../src/store/store.ts";
import { broken, writes, readsEntries, feeds, type BrokenStore } from "./broken-store.ts";

/** Stores that get it wrong. */
export const wrongContent: readonly BrokenStore[] = [
  writes("it drops a head's byte order mark", "content: odd texts come back exactly as heads", (append) => ({
    ...append,
    head: Buffer.from(new TextDecoder().decode(append.head)),
  })),
  writes("it keeps bodies as text", "content: odd bytes come back exactly as bodies", (append) => ({
    ...append,
    entries: append.entries.map((entry) =>
      entry.body === undefined ? entry : { ...entry, body: Buffer.from(Buffer.from(entry.body).toString("utf8")) },
    ),
  })),
  writes("it has room for a thousand entries", "append: as many entries as may be are committed at once", (append) => ({
    ...append,
    entries: append.entries.slice(0, 1000),
  })),
  writes("it takes an empty body for none", "content: an empty body is not an absent one", (append) => ({
    ...append,
    entries: append.entries.map((entry) => (entry.body?.length === 0 ? { ...entry, body: undefined } : entry)),
  })),
  writes("it cuts a ref at U+0000", "content: a ref may hold any character", (append) => ({
    ...append,
    entries: append.entries.map((entry) => ({ ...entry, ref: entry.ref.split("\0")[0] ?? "" })),
  })),
  writes(
    "it keeps seconds only",
    "content: every field of an entry comes back, in a row and in the feed",
    (append) => ({
      ...append,
      entries: append.entries.map((entry) => ({ ...entry, at: Math.floor(entry.at / 1000) * 1000 })),
    }),
  ),
  writes("it cuts bodies at a mebibyte", "content: a head and bodies of 8 MiB come back exactly", (append) => ({
    ...append,
    entries: append.entries.map((entry) => ({ ...entry, body: entry.body?.subarray(0, 1024 * 1024) })),
  })),
  broken("it does not tell letters from capitals", "content: rows with similar names do not mix", {
    append: (good, batch) =>
      good.append(batch.map((append) => ({ ...append, row: append.row.toLowerCase() as RowId }))),
    read: (good, row, options) => good.read(row.toLowerCase() as RowId, options),
  }),
  readsEntries("it forgets which commit an entry came with", "append: entries keep the id of their commit", (entries) =>
    entries.map((entry) => ({ ...entry, commitId: entries.at(-1)?.commitId ?? "" })),
  ),
];

/** Stores that get it wrong. */
export const wrongTrims: readonly BrokenStore[] = [
  writes(
    "it forgets to trim",
    "trim: entries below are gone, the others stay",
    ({ trimBelow: _trimBelow, ...append }) => append,
  ),
  writes("it trims one too many", "trim: entries below are gone, the others stay", (append) =>
    append.trimBelow === undefined ? append : { ...append, trimBelow: append.trimBelow + 1 },
  ),
  writes("it always trims something", "trim: a bound that nothing is below removes nothing", (append) =>
    append.trimBelow === undefined ? append : { ...append, trimBelow: append.trimBelow + 2 },
  ),
  writes("it keeps at least one entry", "trim: everything may go, and the row goes on where it was", (append) =>
    append.entries.length === 0 && append.trimBelow !== undefined
      ? { ...append, trimBelow: append.trimBelow - 1 }
      : append,
  ),
  writes("it trims before it adds", "trim: it is done after the entries of the same append were added", (append) =>
    append.trimBelow === undefined
      ? append
      : { ...append, trimBelow: Math.min(append.trimBelow, append.entries[0]?.seq ?? Infinity) },
  ),
  feeds(
    "it numbers the feed by what is left in it",
    "trim: a position is not given again when its entry has gone",
    async (_page, options, good) => {
      const { entries } = await good.tail({ after: 0, limit: 1e6 });
      const numbered = entries
        .map((entry, i) => ({ ...entry, position: i + 1 }))
        .slice(options.after, options.after + options.limit);
      return { entries: numbered, next: numbered.at(-1)?.position ?? options.after };
    },
  ),
];
