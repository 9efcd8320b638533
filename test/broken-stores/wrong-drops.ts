import type { Append, RowSlice } from "../../src/store/store.ts";
import { broken, readsEntries, versionOf, writes, type BrokenStore } from "./broken-store.ts";

const drops = ({ dropBodiesBelow = 0 }: Append): boolean => dropBodiesBelow > 1;
const bound = "drop: a bound that nothing is below removes nothing";

/** Stores that get it wrong. */
export const wrongDrops: readonly BrokenStore[] = [
  writes(
    "it forgets to drop bodies",
    "drop: bodies below are gone, the others and all entries stay",
    ({ dropBodiesBelow: _dropBodiesBelow, ...append }) => append,
  ),
  writes("it drops one body too many", "drop: bodies below are gone, the others and all entries stay", (append) =>
    drops(append) ? { ...append, dropBodiesBelow: (append.dropBodiesBelow ?? 0) + 1 } : append,
  ),
  writes("it always drops some body", bound, (append) =>
    append.dropBodiesBelow === undefined ? append : { ...append, dropBodiesBelow: append.dropBodiesBelow + 1 },
  ),
  broken("it hands out bodies that it remembers", "drop: all may go, and every object sees it", () => {
    const seen = new Map<string, Uint8Array>();
    return {
      read: async (good, row, options) => {
        const slice = await good.read(row, options);
        if (slice === null || options.bodies !== true) return slice;
        const remembered = (entry: RowSlice["entries"][number]): RowSlice["entries"][number] => {
          const body = entry.body ?? seen.get(`${entry.seq} ${row}`);
          if (body === undefined) return entry;
          seen.set(`${entry.seq} ${row}`, body);
          return { ...entry, body };
        };
        return { ...slice, entries: slice.entries.map(remembered) };
      },
    };
  }),
  writes(
    "it drops bodies before it adds entries",
    "drop: it is done after the entries of the same append were added",
    (append) =>
      drops(append)
        ? { ...append, dropBodiesBelow: Math.min(append.dropBodiesBelow ?? 0, append.entries[0]?.seq ?? Infinity) }
        : append,
  ),
  broken("it drops bodies whatever comes of the append", "drop: an append that conflicts drops nothing", {
    append: async (good, batch) => {
      const outcomes = await good.append(batch);
      for (const [i, append] of batch.entries()) {
        if (outcomes[i]?.kind !== "conflict" || !drops(append)) continue;
        await good.append([{ ...append, entries: [], expect: await versionOf(good, append.row) }]);
      }
      return outcomes;
    },
  }),
  broken(
    "it keeps no bodies any more once it has dropped some",
    "drop: what comes afterwards keeps its body, until it is dropped too",
    () => {
      const dropped = new Set<string>();
      return {
        append: (good, batch) => {
          const bare = batch.map((append) => {
            const entries = append.entries.map((entry) => ({ ...entry, body: undefined }));
            return dropped.has(append.row) ? { ...append, entries } : append;
          });
          for (const append of batch) if (drops(append)) dropped.add(append.row);
          return good.append(bare);
        },
      };
    },
  ),
  writes("it drops no bodies while it trims", "drop: entries and bodies may go in one append", (append) =>
    append.trimBelow === undefined ? append : { ...append, dropBodiesBelow: undefined },
  ),
  readsEntries(
    "it leaves out entries without a body where it reads some",
    "drop: a part of a row reads as the whole does",
    (entries, { bodies, limit }) =>
      bodies === true && limit !== undefined ? entries.filter(({ body }) => body !== undefined) : entries,
  ),
  broken("its feed has only what has a body, or never had one", "drop: the feed goes on as it was", () => {
    const below = new Map<string, number>();
    return {
      append: (good, batch) => {
        for (const { row, dropBodiesBelow } of batch) below.set(row, dropBodiesBelow ?? below.get(row) ?? 0);
        return good.append(batch);
      },
      tail: async (good, options) => {
        const page = await good.tail(options);
        return { ...page, entries: page.entries.filter(({ row, seq }) => seq >= (below.get(row) ?? 0)) };
      },
    };
  }),
];
