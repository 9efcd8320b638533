import { gcloud, grantInProject } from "../commands.ts";
import type { Look } from "../google/look.ts";
import type { CloudSqlName } from "../store/cloud-database.ts";

export const instanceLook = ({ project, region, instance }: CloudSqlName): Look => ({
  api: "sqladmin",
  path: `/v1/projects/${project}/instances/${instance}`,
  what: `Cloud SQL instance ${instance}`,
  permission: "cloudsql.instances.get",
  grant: grantInProject(project, "roles/cloudsql.viewer"),
  create: [
    gcloud("sql instances create", [instance], {
      project,
      region,
      "database-version": "POSTGRES_16",
      "availability-type": "REGIONAL",
      tier: "db-custom-2-8192",
    }),
  ],
});

/** Changes the instance. */
export const patch = ({ project, instance }: CloudSqlName, flags: Readonly<Record<string, string | true>>): string =>
  gcloud("sql instances patch", [instance], { project, ...flags });
