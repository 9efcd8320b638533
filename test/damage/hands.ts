import { parsePostgresUrl } from "../../src/store/postgres/postgres-url.ts";
import { placeOfStore } from "../../src/store/open-store.ts";
import type { DamageHand } from "./hand.ts";
import { spannerHand } from "./spanner-hand.ts";
import { postgresHand, sqliteHand } from "./sql-hand.ts";

/** The hand for a journal by its store URL; it must be there. Rejects where the store's kind has none. */
export async function handOf(url: string): Promise<DamageHand> {
  const { kind } = await placeOfStore(url);
  switch (kind) {
    case "sqlite":
      return sqliteHand(decodeURIComponent(url.replace(/^sqlite:(?:\/\/)?/, "")));
    case "postgres":
      return postgresHand(url, parsePostgresUrl(url).schema);
    case "spanner":
      return spannerHand(url);
    default:
      throw new Error(`nothing reaches behind a ${kind} store: name a SQLite file, PostgreSQL or Spanner`);
  }
}
