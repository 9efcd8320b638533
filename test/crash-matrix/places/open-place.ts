import { TapeError } from "../../../src/errors.ts";
import { bigtablePlace, spannerPlace } from "./emulated-places.ts";
import type { Place } from "./place.ts";
import { foreignPostgres, ownPostgres } from "./postgres-place.ts";
import { sqlitePlace } from "./sqlite-place.ts";

/** The place that `--store` names: a store of somebody, or by its scheme alone one of our own. */
export async function openPlace(store: string | undefined): Promise<Place> {
  const [, scheme = "", rest = ""] = /^([a-z]+):?(.*)$/s.exec(store ?? "sqlite:") ?? [];
  switch (scheme) {
    case "sqlite":
      return sqlitePlace(rest === "" ? undefined : store);
    case "postgres":
    case "postgresql":
      return rest === "" ? ownPostgres() : foreignPostgres(store ?? "");
    case "bigtable":
      return bigtablePlace();
    case "spanner":
      return spannerPlace();
    default:
      throw new TapeError("ARGUMENT_INVALID", `there is nothing to kill behind that store; there are: ${stores}`);
  }
}

/** What `--store` takes. */
export const stores = "sqlite:, sqlite:PATH, postgres:, postgres://USER@HOST/DATABASE, bigtable:, spanner:";
