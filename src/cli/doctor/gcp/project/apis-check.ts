import type { StorePlace } from "../../../../store/open-store.ts";
import { fail, ok, warn, type Finding } from "../../finding.ts";
import { gcloud, grantInProject } from "../commands.ts";
import { examination, onSight, type Examination } from "../examination.ts";
import type { Look } from "../google/look.ts";
import type { Installation } from "../installation.ts";
import { cloudDatabase } from "../store/cloud-database.ts";

const id = "gcp.apis";
const always = ["run", "secretmanager"] as const;
/** An installation runs without them, but is not watched, and cannot be changed. */
const wanted = ["iam", "monitoring"] as const;

/** Whether the APIs are enabled that an installation with this store needs. */
export const apisCheck: Examination = examination(id, async (at) => {
  const store = await at.store();
  const ofStore = store.kind === "seen" ? await apisOf(store.value.place, at) : [];
  const needed = [...always, ...ofStore].map(full);
  const names = [...needed, ...wanted.map(full)];
  return onSight(id, at.see(apisLook(at.project, names)), (body): Finding => {
    const enabled = new Set(
      body.at("services").items.flatMap((one) => {
        const name = one.at("config", "name").text ?? one.at("name").text?.split("/").at(-1);
        return one.at("state").text === "ENABLED" && name !== undefined ? [name] : [];
      }),
    );
    const off = names.filter((name) => !enabled.has(name));
    if (off.length === 0) return ok(id, `all ${names.length} APIs that are needed are enabled`);
    const says = `not enabled in project ${at.project}: ${off.join(", ")}`;
    const mend = [gcloud("services enable", off, { project: at.project })];
    return off.some((name) => needed.includes(name)) ? fail(id, says, mend) : warn(id, says, mend);
  });
});

const full = (name: string): string => `${name}.googleapis.com`;

async function apisOf(place: StorePlace, at: Installation): Promise<readonly string[]> {
  if (place.kind === "bigtable") return ["bigtable", "bigtableadmin"];
  if (place.kind === "spanner") return ["spanner"];
  const { kind } = await cloudDatabase(at, place);
  return kind === "alloydb" ? ["alloydb"] : kind === "cloudsql" ? ["sqladmin"] : [];
}

const apisLook = (project: string, names: readonly string[]): Look => ({
  api: "serviceusage",
  path: `/v1/projects/${project}/services:batchGet?${names.map((name) => `names=projects/${project}/services/${name}`).join("&")}`,
  what: `the APIs of project ${project}`,
  permission: "serviceusage.services.get",
  grant: grantInProject(project, "roles/serviceusage.serviceUsageViewer"),
  create: [],
});
