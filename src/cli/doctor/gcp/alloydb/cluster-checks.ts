import { fail, ok, warn, type Finding } from "../../finding.ts";
import { note } from "../commands.ts";
import type { JsonView } from "../google/json-view.ts";
import type { AlloydbName } from "../store/cloud-database.ts";
import { clusterCommand } from "./alloydb-looks.ts";

/** Whether the cluster works, and takes writes. */
export function checkCluster(cluster: JsonView, name: AlloydbName): Finding {
  const id = "gcp.alloydb.cluster";
  const state = cluster.at("state").text ?? "of unknown state";
  const what = `AlloyDB cluster ${name.cluster} in ${name.region}`;
  if (state !== "READY") return fail(id, `${what} is ${state}`, [clusterCommand("describe", name)]);
  if (cluster.at("clusterType").text === "SECONDARY") {
    return fail(id, `${what} is a secondary one: it takes no writes`, [
      note("use the primary cluster; if that is lost for good:"),
      clusterCommand("promote", name),
    ]);
  }
  return ok(id, `${what} is ready`);
}

/** Whether what is lost can be had back. */
export function checkBackups(cluster: JsonView, name: AlloydbName): Finding {
  const id = "gcp.alloydb.backups";
  // Both are on unless they are switched off.
  const isContinuous = !cluster.at("continuousBackupConfig", "enabled").isFalse;
  const isAutomated = !cluster.at("automatedBackupPolicy", "enabled").isFalse;
  if (isContinuous && isAutomated) {
    const days = cluster.at("continuousBackupConfig", "recoveryWindowDays").number;
    return ok(id, `backups are made, and any moment of the last ${days ?? 14} days can be restored`);
  }
  const off = [...(isContinuous ? [] : ["continuous backup"]), ...(isAutomated ? [] : ["automated backup"])];
  return warn(id, `${off.join(" and ")} of AlloyDB cluster ${name.cluster} ${off.length === 1 ? "is" : "are"} off`, [
    clusterCommand("update", name, {
      ...(isContinuous ? {} : { "enable-continuous-backup": true, "continuous-backup-recovery-window-days": 14 }),
      ...(isAutomated
        ? {}
        : {
            "automated-backup-days-of-week": "MONDAY,TUESDAY,WEDNESDAY,THURSDAY,FRIDAY,SATURDAY,SUNDAY",
            "automated-backup-start-times": "02:00",
            "automated-backup-retention-count": 14,
          }),
    }),
  ]);
}
