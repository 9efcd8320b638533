import { setImmediate as turn } from "node:timers/promises";
import type { ReadOptions, RowSlice } from "../../src/store/store.ts";
import { broken, readsEntries, withoutBody, type BrokenStore } from "./broken-store.ts";

/** Stores that get it wrong. */
export const wrongReads: readonly BrokenStore[] = [
  broken("it makes up rows", "read: a row that does not exist is null", {
    read: async (good, row, options) =>
      (await good.read(row, options)) ?? { version: 0, commitId: "", head: new Uint8Array(), entries: [] },
  }),
  readsEntries(
    "its `after` is inclusive",
    "read: `after` and `limit` choose the entries",
    (entries, { after = 0, limit = Infinity }) =>
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
  broken(
    "it gives all who ask for a row in one turn what the last of them asked for",
    "read: many in one turn get what each has asked for, also of the same row",
    () => {
      const last = new Map<string, ReadOptions>();
      return {
        read: async (good, row, options) => {
          last.set(row, options ?? {});
          await turn();
          return good.read(row, last.get(row));
        },
      };
    },
  ),
  readsEntries("it gives positions of its own", "read: the position is that of the feed, or left to it", (entries) =>
    entries.map((entry) => ({ ...entry, position: entry.position + 1 })),
  ),
  broken(
    "it acknowledges at positions of its own",
    "append: the position is that of the last entry, or the feed's secret",
    {
      append: async (good, batch) =>
        (await good.append(batch)).map((outcome) =>
          outcome.kind === "committed" ? { ...outcome, position: outcome.position + 1 } : outcome,
        ),
    },
  ),
];
