import { untold, type Finding } from "../../finding.ts";
import { note } from "../commands.ts";
import { examination, onSight, type Examination } from "../examination.ts";
import type { GcpCheckId } from "../gcp-checks.ts";
import type { JsonView } from "../google/json-view.ts";
import type { Look } from "../google/look.ts";
import type { Installation } from "../installation.ts";
import { unseen, type Sight } from "../sight.ts";
import type { AlloydbDatabase, AlloydbName, SqlPlace } from "../store/cloud-database.ts";
import { clusterLook, instanceLook } from "./alloydb-looks.ts";
import { checkBackups, checkCluster } from "./cluster-checks.ts";
import { findByAddress } from "./find-by-address.ts";
import { checkAvailability, checkInstance } from "./instance-checks.ts";
import { networkCheck, proxyCheck } from "./way-checks.ts";

/** What is checked of an AlloyDB database. */
export function alloydbExaminations(database: AlloydbDatabase, place: SqlPlace): readonly Examination[] {
  let found: Promise<Sight<AlloydbName>> | undefined;
  const named = (at: Installation): Promise<Sight<AlloydbName>> => (found ??= nameOf(at, database, place));
  const on = (
    id: GcpCheckId,
    look: (name: AlloydbName) => Look,
    check: (body: JsonView, name: AlloydbName) => Finding,
  ): Examination =>
    examination(id, (at) =>
      onSight(id, named(at), (name) => onSight(id, at.see(look(name)), (body) => check(body, name))),
    );
  return [
    on("gcp.alloydb.cluster", clusterLook, checkCluster),
    on("gcp.alloydb.backups", clusterLook, checkBackups),
    on("gcp.alloydb.instance", instanceLook, checkInstance),
    on("gcp.alloydb.availability", instanceLook, checkAvailability),
    ...(database.by === "proxy" ? [proxyCheck(place)] : []),
    networkCheck(database, named),
  ];
}

async function nameOf(
  at: Installation,
  { by, instance }: AlloydbDatabase,
  { host }: SqlPlace,
): Promise<Sight<AlloydbName>> {
  if (instance !== undefined) return { kind: "seen", value: instance };
  if (by === "address") return findByAddress(at, host);
  return unseen((id) =>
    untold(id, "which AlloyDB instance it is cannot be told: no proxy beside the server names one", [
      note("see gcp.service.proxy and gcp.alloydb.proxy"),
    ]),
  );
}
