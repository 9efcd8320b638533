import type { Finding } from "../finding.ts";
import { note } from "./commands.ts";
import type { GcpCheckId } from "./gcp-checks.ts";

/** Which variable of which Terraform module decides what a check looks at. */
export const terraformVariables: Readonly<
  Partial<Record<GcpCheckId, { readonly module: string; readonly variables: readonly string[] }>>
> = {
  "gcp.service.image": { module: "tape-cloud-run", variables: ["image"] },
  "gcp.service.ingress": { module: "tape-cloud-run", variables: ["ingress"] },
  "gcp.service.invokers": { module: "tape-cloud-run", variables: ["invokers"] },
  "gcp.service.identity": { module: "tape-cloud-run", variables: ["service_account"] },
  "gcp.service.auth": { module: "tape-cloud-run", variables: ["auth"] },
  "gcp.service.instances": { module: "tape-cloud-run", variables: ["min_instances"] },
  "gcp.service.requests": { module: "tape-cloud-run", variables: ["concurrency", "request_timeout_seconds"] },
  "gcp.service.store": { module: "tape-cloud-run", variables: ["store"] },
  "gcp.service.proxy": { module: "tape-cloud-run", variables: ["database_proxy"] },
  "gcp.secret.store": { module: "secret-manager", variables: ["store_url"] },
  "gcp.secret.readers": { module: "secret-manager", variables: ["accessors"] },
  "gcp.access.server": { module: "iam", variables: ["store"] },
  "gcp.alloydb.availability": { module: "alloydb", variables: ["availability"] },
  "gcp.alloydb.proxy": { module: "tape-cloud-run", variables: ["database_proxy"] },
  "gcp.alloydb.network": { module: "tape-cloud-run", variables: ["network"] },
  "gcp.cloudsql.connection": { module: "tape-cloud-run", variables: ["database_proxy"] },
  "gcp.cloudsql.availability": { module: "cloud-sql", variables: ["availability"] },
  "gcp.cloudsql.network": { module: "tape-cloud-run", variables: ["network"] },
  "gcp.bigtable.profile": { module: "bigtable", variables: ["app_profile"] },
  "gcp.spanner.switch": { module: "tape-cloud-run", variables: ["env"] },
};

/** A finding with a word for those whose next `terraform apply` would take back what the commands change. */
export function withTerraform(finding: Finding): Finding {
  const at = terraformVariables[finding.id as GcpCheckId];
  if (at === undefined || (finding.outcome !== "warn" && finding.outcome !== "fail")) return finding;
  const names = at.variables.join(" and ");
  return {
    ...finding,
    mend: [...(finding.mend ?? []), note(`if Terraform made it: set ${names} of module ${at.module}`)],
  };
}
