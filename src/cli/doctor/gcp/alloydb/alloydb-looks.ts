import { gcloud, grantInProject } from "../commands.ts";
import type { Look } from "../google/look.ts";
import type { AlloydbName } from "../store/cloud-database.ts";

const viewer = "roles/alloydb.viewer";

export const clusterLook = ({ project, region, cluster }: AlloydbName): Look => ({
  api: "alloydb",
  path: `/v1/projects/${project}/locations/${region}/clusters/${cluster}`,
  what: `AlloyDB cluster ${cluster} in ${region}`,
  permission: "alloydb.clusters.get",
  grant: grantInProject(project, viewer),
  create: [gcloud("alloydb clusters create", [cluster], { project, region, network: "NETWORK", password: "PASSWORD" })],
});

/** The instance, within its cluster. */
export const instanceLook = (name: AlloydbName): Look => ({
  ...clusterLook(name),
  path: `${clusterLook(name).path}/instances/${name.instance}`,
  what: `AlloyDB instance ${name.instance} of cluster ${name.cluster} in ${name.region}`,
  permission: "alloydb.instances.get",
  create: [instanceCommand("create", name, { "instance-type": "PRIMARY", "cpu-count": 2 })],
});

/** `gcloud alloydb clusters <verb>` on this one. */
export const clusterCommand = (
  verb: string,
  { project, region, cluster }: AlloydbName,
  flags: Readonly<Record<string, string | number | true>> = {},
): string => gcloud(`alloydb clusters ${verb}`, [cluster], { project, region, ...flags });

/** `gcloud alloydb instances <verb>` on this one. */
export const instanceCommand = (
  verb: string,
  { project, region, cluster, instance }: AlloydbName,
  flags: Readonly<Record<string, string | number | true>> = {},
): string => gcloud(`alloydb instances ${verb}`, [instance], { project, region, cluster, ...flags });
