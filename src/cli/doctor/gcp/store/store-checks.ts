import { ok } from "../../finding.ts";
import { alloydbExaminations } from "../alloydb/alloydb-checks.ts";
import { bigtableExaminations } from "../bigtable/bigtable-checks.ts";
import { cloudSqlExaminations } from "../cloudsql/cloud-sql-checks.ts";
import { examination, onSight, type Examination } from "../examination.ts";
import type { Installation } from "../installation.ts";
import { proxyCheck } from "../service/proxy-check.ts";
import { spannerExaminations } from "../spanner/spanner-checks.ts";
import { cloudDatabase, isLoopback } from "./cloud-database.ts";
import { storePlaceName } from "./place-name.ts";

/** Which store it is that the rest is about. */
export const storeCheck: Examination = examination("gcp.store", (at, id) =>
  onSight(id, at.store(), ({ place, by }) => ok(id, `the journal is in ${storePlaceName(place)}, ${by}`)),
);

/** What is checked of the store in use; nothing of any other. */
export async function storeExaminations(at: Installation): Promise<readonly Examination[]> {
  const store = await at.store();
  if (store.kind === "unseen") return [];
  const { place } = store.value;
  if (place.kind === "bigtable") return bigtableExaminations(place);
  if (place.kind === "spanner") return spannerExaminations(place);
  if (!("host" in place)) return [];
  const database = await cloudDatabase(at, place);
  const proxy = isLoopback(place.host) ? [proxyCheck] : [];
  if (database.kind === "alloydb") return [...proxy, ...alloydbExaminations(database, place)];
  if (database.kind === "cloudsql") return [...proxy, ...cloudSqlExaminations(database, place)];
  return proxy;
}
