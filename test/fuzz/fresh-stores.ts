import { makePlace, openHost } from "../../bench/postgres-place.ts";
import { createStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { Emulator } from "../emulators/emulator.ts";
import { openStorePlace } from "../linearizability/store-place.ts";
import { experimental, newDatabase } from "../spanner/databases.ts";
import { wrong } from "./target.ts";

/** A store without a journal. */
export interface FreshStore {
  readonly opened: Store;
  /** Closes it, and takes it away. */
  readonly remove: () => Promise<void>;
}

/** Makes stores, each in a place of its own, on one server. */
export interface FreshStores {
  readonly make: () => Promise<FreshStore>;
  readonly close: () => Promise<void>;
}

/**
 * Stores where `--store` says: `memory:`, `sqlite:`, `postgres:` or one's URL, `spanner:`. Bigtable's feed is behind the
 * machine's clock, and what is tried here has a clock of its own.
 */
export async function freshStores(store: string): Promise<FreshStores> {
  switch (store.replace(/:.*$/s, "")) {
    case "postgres":
    case "postgresql":
      return onPostgres(/^\w+:?$/.test(store) ? undefined : store);
    case "spanner":
      return onSpanner();
    case "memory":
    case "sqlite":
      return { make: () => openFreshStore(store), close: async () => undefined };
    default:
      return wrong(`no store can be made anew for every input at ${store}`);
  }
}

/** One store, where `--store` says. */
export async function openFreshStore(store: string): Promise<FreshStore> {
  const place = await openStorePlace(store);
  return open(place.url, place.environment, place.remove);
}

async function open(
  url: string,
  environment: Readonly<Record<string, string>>,
  take: () => Promise<void>,
): Promise<FreshStore> {
  const opened = await createStore(url, { environment });
  const remove = async (): Promise<void> => {
    await opened.close();
    await take();
  };
  return { opened, remove };
}

async function onPostgres(url: string | undefined): Promise<FreshStores> {
  const host = await openHost(url);
  let made = 0;
  const make = async (): Promise<FreshStore> => {
    const place = await makePlace(host.url, `fuzz_${process.pid}_${(made += 1)}`);
    return open(place.storeUrl, {}, () => place.drop());
  };
  return { make, close: () => host.close() };
}

async function onSpanner(): Promise<FreshStores> {
  const emulator = await Emulator.open("spanner");
  const make = (): Promise<FreshStore> => open(newDatabase(emulator.host), experimental, async () => undefined);
  return { make, close: () => emulator.stop() };
}
