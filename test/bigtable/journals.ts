import { randomUUID } from "node:crypto";
import { createStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { StoreHarness } from "../../src/testing/index.ts";
import { TapePlaces, walkRule } from "../tape-places.ts";

/** Short, so that tests need not wait: on one machine there is one clock. */
const testLagMs = 100;

/** The URL of a journal that nobody else has, in a table that all share. */
export const newJournal = (host: string, lagMs: number = testLagMs): string =>
  `bigtable://project/instance/journals?emulator=${host}&prefix=${randomUUID()}&feedLagMs=${lagMs}&channels=1`;

/** A store on this journal, which is made if there is none. */
async function openJournal(url: string): Promise<Store> {
  const store = await createStore(url);
  await store.migrate({ dryRun: false });
  return store;
}

/** A store for each case, in a journal of its own. */
export function bigtableHarness(host: string): StoreHarness {
  const urls = new WeakMap<Store, string>();
  const urlOf = (store: Store): string => urls.get(store) ?? "";
  return {
    create: async () => {
      const url = newJournal(host);
      const store = await openJournal(url);
      urls.set(store, url);
      return store;
    },
    destroy: (store) => store.close(),
    reopen: async (store) => {
      const other = await createStore(urlOf(store));
      await other.open();
      return other;
    },
    crash: (store) => ({
      module: new URL("../../dist/store/open-store.js", import.meta.url).href,
      url: urlOf(store),
    }),
  };
}

/** Rules whose cases read the feed from its start, again and again. */
const feedRules = /^R5[0-2]$/;

/** Journals that the cases of a suite share. */
export function bigtablePlaces(host: string): TapePlaces {
  return new TapePlaces(
    async () => {
      const url = newJournal(host);
      return { open: () => openJournal(url), remove: async () => undefined };
    },
    { isHeavy: ({ rule }) => rule === walkRule || feedRules.test(rule) },
  );
}
