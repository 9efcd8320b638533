import { fail, ok, untold, warn, type Finding } from "../../finding.ts";
import { gcloud, note } from "../commands.ts";
import { examination, onSight, type Examination } from "../examination.ts";
import type { GcpCheckId } from "../gcp-checks.ts";
import type { JsonView } from "../google/json-view.ts";
import type { CloudSqlDatabase, CloudSqlName, SqlPlace } from "../store/cloud-database.ts";
import { instanceLook, patch } from "./cloud-sql-looks.ts";
import { attachedCheck, networkCheck, proxyCheck } from "./way-checks.ts";

const oldestPostgres = 13;

/** What is checked of a Cloud SQL database. */
export function cloudSqlExaminations(database: CloudSqlDatabase, place: SqlPlace): readonly Examination[] {
  const { by, instance: name } = database;
  const on = (id: GcpCheckId, check: (body: JsonView, name: CloudSqlName) => Finding): Examination =>
    examination(id, async (at) => {
      if (name !== undefined) return onSight(id, at.see(instanceLook(name)), (body) => check(body, name));
      return untold(id, "which Cloud SQL instance it is cannot be told: neither the store URL nor the proxy names it", [
        note("write it as project:region:instance"),
      ]);
    });
  return [
    ...(by === "socket" && name !== undefined ? [attachedCheck(name)] : []),
    ...(by === "proxy" ? [proxyCheck(place)] : []),
    on("gcp.cloudsql.instance", checkInstance),
    on("gcp.cloudsql.backups", checkBackups),
    on("gcp.cloudsql.availability", checkAvailability),
    ...(name === undefined ? [] : [networkCheck(name)]),
  ];
}

function checkInstance(body: JsonView, name: CloudSqlName): Finding {
  const id = "gcp.cloudsql.instance";
  const what = `Cloud SQL instance ${name.instance}`;
  const state = body.at("state").text ?? "of unknown state";
  const describe = gcloud("sql instances describe", [name.instance], { project: name.project });
  if (body.at("settings", "activationPolicy").text === "NEVER") {
    return fail(id, `${what} is stopped`, [patch(name, { "activation-policy": "ALWAYS" })]);
  }
  if (state !== "RUNNABLE") return fail(id, `${what} is ${state}`, [describe]);
  const version = body.at("databaseVersion").text ?? "of unknown version";
  const major = Number(/^POSTGRES_(\d+)/.exec(version)?.[1] ?? 0);
  if (major === 0)
    return fail(id, `${what} is ${version}, not PostgreSQL`, [
      note("make one with PostgreSQL"),
      ...instanceLook(name).create,
    ]);
  if (major < oldestPostgres) {
    return fail(id, `${what} is ${version}; Tape needs PostgreSQL ${oldestPostgres} or later`, [
      patch(name, { "database-version": "POSTGRES_16" }),
    ]);
  }
  return ok(id, `${what} runs, ${version}`);
}

function checkBackups(body: JsonView, name: CloudSqlName): Finding {
  const id = "gcp.cloudsql.backups";
  const config = body.at("settings", "backupConfiguration");
  const isBackedUp = config.at("enabled").isTrue;
  const isContinuous = config.at("pointInTimeRecoveryEnabled").isTrue;
  if (isBackedUp && isContinuous) return ok(id, "backups are made, and any moment of the last days can be restored");
  const off = [...(isBackedUp ? [] : ["backups"]), ...(isContinuous ? [] : ["point-in-time recovery"])];
  return warn(
    id,
    `${off.join(" and ")} of Cloud SQL instance ${name.instance} ${off.length === 2 || !isBackedUp ? "are" : "is"} off`,
    [
      patch(name, {
        ...(isBackedUp ? {} : { "backup-start-time": "02:00" }),
        ...(isContinuous ? {} : { "enable-point-in-time-recovery": true }),
      }),
    ],
  );
}

function checkAvailability(body: JsonView, name: CloudSqlName): Finding {
  const id = "gcp.cloudsql.availability";
  const type = body.at("settings", "availabilityType").text ?? "ZONAL";
  if (type === "REGIONAL") return ok(id, `Cloud SQL instance ${name.instance} has a standby in another zone`);
  return warn(id, `Cloud SQL instance ${name.instance} is ${type}: without its zone there is no journal`, [
    patch(name, { "availability-type": "REGIONAL" }),
  ]);
}
