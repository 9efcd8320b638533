import type { StorePlace } from "../../../../store/open-store.ts";

/** The store as people call it; no user, no password. */
export function storePlaceName(place: StorePlace): string {
  switch (place.kind) {
    case "memory":
    case "sqlite":
      return `a ${place.kind} store`;
    case "bigtable":
      return `table ${place.table} of Bigtable instance ${place.instance} in project ${place.project}`;
    case "spanner":
      return `database ${place.database} of Spanner instance ${place.instance} in project ${place.project}`;
    case "postgres":
    case "alloydb": {
      const where = place.instance ?? (place.host.startsWith("/") ? place.host : `${place.host}:${place.port}`);
      return `the ${place.kind} database ${place.database ?? "of the user's name"} at ${where}`;
    }
  }
}

/** No store that a Cloud Run service could have. */
export const isLocal = ({ kind }: StorePlace): boolean => kind === "sqlite" || kind === "memory";

/** Whether two URLs lead to one store. `postgres:` and `alloydb:` are two names for one way of speaking. */
export const isSamePlace = (one: StorePlace, other: StorePlace): boolean => keyOf(one) === keyOf(other);

const keyOf = (place: StorePlace): string =>
  Object.entries(place)
    .filter(([name, value]) => name !== "iam" && name !== "emulator" && value !== undefined)
    .map(([name, value]) => `${name}=${value === "alloydb" ? "postgres" : String(value)}`)
    .toSorted()
    .join();
