import { createStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { StoreHarness } from "../../src/testing/index.ts";
import type { SharedKind } from "./server-desk.ts";
import { newSchema, type Schema } from "./shared-server.ts";

/** A store for each case, in a schema of its own; `parameters` are added to its URL. */
export function postgresHarness(kind: SharedKind, parameters = ""): StoreHarness {
  const schemas = new WeakMap<Store, Schema>();
  const urlOf = (store: Store): string => `${schemas.get(store)?.url ?? ""}${parameters}`;
  return {
    create: async () => {
      const schema = await newSchema(kind);
      const store = await createStore(`${schema.url}${parameters}`);
      schemas.set(store, schema);
      await store.migrate({ dryRun: false });
      return store;
    },
    destroy: async (store) => {
      await store.close();
      await schemas.get(store)?.drop();
    },
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
