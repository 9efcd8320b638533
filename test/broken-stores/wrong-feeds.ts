import { broken, feeds, type BrokenStore } from "./broken-store.ts";

/** Stores that get it wrong. */
export const wrongFeeds: readonly BrokenStore[] = [
  feeds(
    "it skips what committed late",
    "feed: complete and in order while several commit and one reads on",
    (page) => ({
      ...page,
      entries: page.entries.filter(({ position }) => position % 50 !== 49),
    }),
  ),
  feeds(
    "it gives the entry at the cursor again",
    "feed: `after` is exclusive, and a cursor may lie between entries or behind the last",
    async (page, { after, limit }, good) =>
      after === 0
        ? page
        : good
            .tail({ after: after - 1, limit: limit + 1 })
            .then(({ entries }) => ({ entries: entries.slice(0, limit), next: page.next })),
  ),
  feeds(
    "it goes by rows, not by commits",
    "feed: entries come in the order of their commits, at rising positions",
    ({ entries, next }) => ({
      entries: entries.toSorted((a, b) => (a.row < b.row ? -1 : a.row > b.row ? 1 : a.seq - b.seq)),
      next,
    }),
  ),
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
        return {
          entries: entries.map((entry) => ({ ...entry, position: entry.position + shift })),
          next: next + shift,
        };
      },
    };
  }),
  broken(
    "it begins a new feed when it is opened",
    "feed: positions go on rising after everything was closed and opened again",
    () => {
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
    },
  ),
];
let shifts = 0;
