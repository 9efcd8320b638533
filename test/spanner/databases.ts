import { randomUUID } from "node:crypto";
import { createStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { StoreHarness } from "../../src/testing/index.ts";
import { Emulator } from "../emulators/emulator.ts";
import { TapePlaces, walkRule } from "../tape-places.ts";

/** The URL of a database that nobody else has, and that is not there yet: on the emulator it takes 15 ms to make one. */
export const newDatabase = (host: string): string => `spanner://project/i-${randomUUID()}/tape?emulator=${host}`;

/** What lets the store start. */
export const experimental: Readonly<Record<string, string>> = { TAPE_SPANNER_EXPERIMENTAL: "1" };

/** A store on this database, which is made if there is none. */
async function openDatabase(url: string): Promise<Store> {
  const store = await createStore(url, { environment: experimental });
  await store.migrate({ dryRun: false });
  return store;
}

/** A store for each case, in a database of its own. */
export function spannerHarness(host: string): StoreHarness {
  const urls = new WeakMap<Store, string>();
  const urlOf = (store: Store): string => urls.get(store) ?? "";
  return {
    create: async () => {
      const url = newDatabase(host);
      const store = await openDatabase(url);
      urls.set(store, url);
      return store;
    },
    destroy: (store) => store.close(),
    reopen: async (store) => {
      const other = await createStore(urlOf(store), { environment: experimental });
      await other.open();
      return other;
    },
    crash: (store) => ({
      // It runs in a process of its own, which inherits nothing but its environment.
      module: experimentalModule,
      url: urlOf(store),
    }),
  };
}

const openStore = new URL("../../dist/store/open-store.js", import.meta.url).href;
const experimentalModule = `data:text/javascript,${encodeURIComponent(`
  import { createStore as create } from ${JSON.stringify(openStore)};
  export const createStore = (url) => create(url, { environment: ${JSON.stringify(experimental)} });
`)}`;

/**
 * Databases that some cases of a suite share, each in an emulator of its own: for every read that one has answered, each
 * later one waits some 2 µs longer, whatever is in its databases.
 */
export function spannerPlaces(): TapePlaces {
  return new TapePlaces(
    async () => {
      const emulator = await Emulator.open("spanner");
      const url = newDatabase(emulator.host);
      return { open: () => openDatabase(url), remove: () => emulator.stop() };
    },
    { most: 6, isHeavy: ({ rule }) => rule === walkRule },
  );
}
