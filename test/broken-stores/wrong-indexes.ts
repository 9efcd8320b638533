import { setImmediate as turn } from "node:timers/promises";
import type { RowId, ScanItem } from "../../src/store/store.ts";
import { broken, writes, scans, type BrokenStore } from "./broken-store.ts";

const isSame = (a: ScanItem, b: ScanItem): boolean => a.key === b.key && a.row === b.row;

/** Stores that get it wrong. */
export const wrongIndexes: readonly BrokenStore[] = [
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
  broken(
    "it removes a key, commits, and adds the next",
    "index: a row that moves between keys is never out of the index",
    {
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
    },
  ),
  writes(
    "it adds no keys after the first commit",
    "index: keys are added and removed with the commit",
    (append, call) => (call === 1 ? append : { ...append, index: { ...append.index, add: [] } }),
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
      return {
        ...page,
        items: page.items.toSorted((a, b) => a.key.localeCompare(b.key) || a.row.localeCompare(b.row)),
      };
    },
  }),
  scans("its `to` is inclusive", "scan: `from` is inclusive, `to` is exclusive", (options) =>
    options.to === undefined ? options : { ...options, to: `${options.to} ` },
  ),
  scans(
    "its cursor forgets the row",
    "scan: pages of any size give every item once, and the last has no `next`",
    (options) =>
      options.after === undefined ? options : { ...options, after: { ...options.after, row: "~" as RowId } },
  ),
  scans(
    "it says it is done when a page is full",
    "scan: pages of any size give every item once, and the last has no `next`",
    (options) => options,
    ({ items }) => ({ items }),
  ),
  scans(
    "a cursor makes it forget the bounds",
    "scan: the cursor need not be an item, and bounds still hold behind it",
    (options) => (options.after === undefined ? options : { after: options.after, limit: options.limit }),
  ),
  broken("one index space reaches into another", "scan: index spaces do not mix", {
    scan: async (good, index, options) => {
      const [own, other] = [await good.scan(index, options), await good.scan(`${index}/`, options)];
      return { ...own, items: [...own.items, ...other.items] };
    },
  }),
];
