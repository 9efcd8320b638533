import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deploymentOf, deployments } from "./service-manifests.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/deploy/iam.md"), "utf8");
const server = "serviceAccount:tape-server@acme.iam.gserviceaccount.com";
const worker = "serviceAccount:tape-worker@acme.iam.gserviceaccount.com";

/** Roles in the first column of tables, or the second, of a section. */
function rolesIn(heading: string): Set<string> {
  const [, section = ""] = page.split(heading);
  const rows = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("|"));
  return new Set(rows.flatMap((row) => [...row.matchAll(/`(roles\/[\w.]+)`/g)].map(([, role]) => role ?? "")));
}

describe("the roles that the Terraform examples grant", () => {
  it("are those of docs/deploy/iam.md, and no others", () => {
    const grants = deployments.flatMap((deployment) => deployment.grants);
    const of = (member: string): Set<string> =>
      new Set(grants.filter((grant) => grant.member === member).map(({ role }) => role));
    expect(of(server)).toEqual(rolesIn("## The server"));
    expect(of(worker)).toEqual(rolesIn("## Workers"));
    expect(new Set(grants.map(({ member }) => member))).toEqual(new Set([server, worker]));
  });

  it("open no secret of the project but the two that the server reads", () => {
    const grants = deployments.flatMap((deployment) => deployment.grants);
    const secrets = grants.filter(({ role }) => role.startsWith("roles/secretmanager."));
    expect(new Set(secrets.map(({ on, role }) => `${role} on ${on}`))).toEqual(
      new Set(["roles/secretmanager.secretAccessor on secret_manager_secret"]),
    );
    expect(secrets).toHaveLength(2 * deployments.length);
  });

  it("hold on the project only where there is no smaller place", () => {
    const onProject = (example: string): string[] =>
      deploymentOf(example)
        .grants.filter(({ on, condition = [] }) => on === "project" && condition.length === 0)
        .map(({ role }) => role)
        .toSorted();
    const metrics = "roles/monitoring.metricWriter";
    expect(onProject("cloud-run-bigtable")).toEqual([metrics]);
    expect(onProject("cloud-run-spanner")).toEqual([metrics]);
    expect(onProject("cloud-run-postgres")).toEqual([metrics]);
    expect(onProject("cloud-run-alloydb")).toEqual([
      "roles/alloydb.client",
      "roles/alloydb.databaseUser",
      metrics,
      "roles/serviceusage.serviceUsageConsumer",
    ]);
  });
});
