import { createStore } from "../../src/store/open-store.ts";
import { TapePlaces } from "../tape-places.ts";
import type { SharedKind } from "./server-desk.ts";
import { newSchema } from "./shared-server.ts";

/** Schemas that the cases of a suite share. */
export function postgresPlaces(kind: SharedKind): TapePlaces {
  return new TapePlaces(async () => {
    const schema = await newSchema(kind);
    return {
      open: async () => {
        const store = await createStore(schema.url);
        await store.migrate({ dryRun: false });
        return store;
      },
      remove: () => schema.drop(),
    };
  });
}
