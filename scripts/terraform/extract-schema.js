// Extracts from the bindings that HashiCorp generated for the google provider the schemas of the resource types and data
// sources that deploy/terraform uses, because the provider itself cannot be fetched everywhere. To run it again, after a
// type was added below or for a newer provider:
//
//   npm pack @cdktf/provider-google@16.12.1 && tar xzf cdktf-provider-google-16.12.1.tgz
//   node scripts/terraform/extract-schema.js package
//
// It reads lib/<type>/index.js and index.d.ts of the package and writes google-schema.json beside this file.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBindings } from "./read-bindings.js";

const resources = [
  "alloydb_cluster",
  "alloydb_instance",
  "alloydb_user",
  "artifact_registry_repository",
  "artifact_registry_repository_iam_member",
  "bigtable_app_profile",
  "bigtable_gc_policy",
  "bigtable_instance",
  "bigtable_instance_iam_member",
  "bigtable_table",
  "bigtable_table_iam_member",
  "cloud_run_v2_service",
  "cloud_run_v2_service_iam_member",
  "cloud_run_v2_worker_pool",
  "compute_global_address",
  "compute_network",
  "compute_subnetwork",
  "dns_managed_zone",
  "dns_record_set",
  "monitoring_alert_policy",
  "monitoring_custom_service",
  "monitoring_dashboard",
  "monitoring_slo",
  "project_iam_member",
  "project_service",
  "secret_manager_secret",
  "secret_manager_secret_iam_member",
  "secret_manager_secret_version",
  "service_account",
  "service_networking_connection",
  "spanner_backup_schedule",
  "spanner_database",
  "spanner_database_iam_member",
  "spanner_instance",
  "sql_database",
  "sql_database_instance",
  "sql_user",
];
const dataSources = ["project"];
// The rest of the provider's 200 arguments are credentials and endpoints, which the modules must not set.
const providerArguments = ["project", "region", "zone", "user_project_override", "billing_project", "default_labels"];

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node scripts/terraform/extract-schema.js <unpacked @cdktf/provider-google>");
  process.exit(64);
}
const manifest = /** @type {{ name: string, version: string }} */ (
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
);
const provider = blockOf("provider");
const version = /providers\/hashicorp\/google\/([\d.]+)\/docs/.exec(
  readFileSync(join(folder, "lib/bigtable-table/index.d.ts"), "utf8"),
)?.[1];
const schema = {
  source: `${manifest.name} ${manifest.version}`,
  provider: { name: "hashicorp/google", version },
  configuration: {
    attributes: Object.fromEntries(providerArguments.map((name) => [name, provider.attributes[name]])),
    blocks: {},
  },
  resources: Object.fromEntries(resources.map((type) => [`google_${type}`, blockOf(type)])),
  dataSources: Object.fromEntries(dataSources.map((type) => [`google_${type}`, blockOf(`data_google_${type}`)])),
};
// One line an argument: a change of the provider shows as a difference that can be read.
const text = JSON.stringify(schema, null, 1).replace(/\[[^[\]{}]*\]/g, (list) => list.replace(/\s+/g, " "));
writeFileSync(join(import.meta.dirname, "google-schema.json"), `${text}\n`);

/** @param {string} type */
function blockOf(type) {
  const path = join(folder ?? "", "lib", type.replaceAll("_", "-"));
  return readBindings(readFileSync(join(path, "index.js"), "utf8"), readFileSync(join(path, "index.d.ts"), "utf8"));
}
