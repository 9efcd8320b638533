import { untold } from "../../finding.ts";
import { grantInProject, note } from "../commands.ts";
import type { Look } from "../google/look.ts";
import type { Installation } from "../installation.ts";
import { seen, unseen, type Sight } from "../sight.ts";
import type { AlloydbName } from "../store/cloud-database.ts";

/** All instances of all clusters in all regions. */
const allInstancesLook = (project: string): Look => ({
  api: "alloydb",
  path: `/v1/projects/${project}/locations/-/clusters/-/instances`,
  what: `the AlloyDB instances of project ${project}`,
  permission: "alloydb.instances.list",
  grant: grantInProject(project, "roles/alloydb.viewer"),
  create: [],
});

/** The instance that has this address. */
export async function findByAddress(at: Installation, host: string): Promise<Sight<AlloydbName>> {
  const list = await at.see(allInstancesLook(at.project));
  if (list.kind === "unseen") return list;
  const one = list.value
    .at("instances")
    .items.find((each) => [each.at("ipAddress").text, each.at("publicIpAddress").text].includes(host));
  const [, project, , region, , cluster, , instance] = one?.at("name").text?.split("/") ?? [];
  if (project !== undefined && region !== undefined && cluster !== undefined && instance !== undefined) {
    return seen({ project, region, cluster, instance });
  }
  const says = `which AlloyDB instance it is cannot be told: none in project ${at.project} has the address ${host}`;
  return unseen((id) =>
    untold(id, says, [note("name it in the store URL: ?instance=projects/...; or name its project: --project")]),
  );
}
