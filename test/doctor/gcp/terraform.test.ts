import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { terraformVariables } from "../../../src/cli/doctor/gcp/terraform-notes.ts";
import record from "../../deploy/service-manifests.json" with { type: "json" };
import { examine } from "./check-up.ts";
import { healthy, instanceName, paths, payloadOf, type Json, type StoreKind, type World } from "./world.ts";

const modules = join(import.meta.dirname, "../../../deploy/terraform/modules");

const examples = {
  "cloud-run-alloydb": "alloydb",
  "cloud-run-postgres": "cloudsql",
  "cloud-run-bigtable": "bigtable",
  "cloud-run-spanner": "spanner",
} as const satisfies Record<keyof typeof record.services, StoreKind>;

/** Blocks of the provider that stand at most once are lists of one there, and plain objects in the API. */
const plainBlocks = new Set([
  "template",
  "scaling",
  "vpc_access",
  "resources",
  "startup_probe",
  "liveness_probe",
  "http_get",
  "value_source",
  "secret_key_ref",
]);

const camel = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** A resource as the provider knows it, in the shape of the API. */
function asInApi(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asInApi);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => {
    const plain: unknown = plainBlocks.has(name) && Array.isArray(field) ? field[0] : field;
    return [camel(name), asInApi(plain)] as const;
  });
  return Object.fromEntries(fields);
}

/** The names that the record has, put into those of the world, and what the stand-in for the provider made up. */
const renamed = (text: string): string =>
  text
    .replaceAll("made-up-google_alloydb_instance.name", instanceName)
    .replaceAll("made-up-google_sql_database_instance.connection_name", "shop:europe-west1:main")
    .replaceAll("acme/tape-journal/", "shop/journals/")
    .replaceAll("spanner://acme/tape/", "spanner://shop/journals/")
    .replaceAll("acme", "shop");

const policyPaths: Readonly<Record<string, string>> = {
  project: paths.project,
  secret_manager_secret: paths.secret,
  cloud_run_v2_service: paths.service,
  bigtable_instance: paths.bigtable,
  bigtable_table: paths.table,
  spanner_database: paths.database,
};

/** The installation that an example makes. */
function deployed(example: keyof typeof examples): World {
  const { service, storeUrl, grants } = record.services[example];
  const world = healthy(examples[example]);
  const declared = asInApi(JSON.parse(renamed(JSON.stringify(service)))) as Json;
  const { terminalCondition, latestCreatedRevision, latestReadyRevision } = world.resources[paths.service] ?? {};
  world.resources[paths.service] = { ...declared, terminalCondition, latestCreatedRevision, latestReadyRevision };
  world.resources[paths.payload.replace("latest", "1")] = payloadOf(renamed(storeUrl));
  world.resources[paths.version.replace("latest", "1")] = world.resources[paths.version] ?? {};
  for (const path of [paths.payload, paths.version]) delete world.resources[path];
  if (example === "cloud-run-bigtable") {
    const profile = world.resources[paths.profile];
    delete world.resources[paths.profile];
    world.resources[paths.profile.replace("default", "tape")] = profile ?? {};
  }
  for (const path of Object.values(policyPaths)) world.policies[path] = [];
  for (const { on, role, member } of grants) {
    const path = policyPaths[on];
    if (path === undefined) throw new RangeError(`nobody knows where ${on} has its policy`);
    world.policies[path]?.push({ role, members: [renamed(member)] });
  }
  return world;
}

describe("what the Terraform examples deploy", () => {
  it.each(Object.keys(examples) as (keyof typeof examples)[])("is as tape doctor wants it: %s", async (example) => {
    const { findings } = await examine({ world: deployed(example), options: { region: "europe-west1" } });
    const rest = findings.filter(({ outcome }) => outcome !== "ok").map(({ id, outcome }) => `${outcome} ${id}`);
    // They name the image by its version, because its digest is known only once it has been pushed.
    const expected = [
      "warn gcp.service.image",
      ...(example === "cloud-run-spanner" ? ["warn gcp.spanner.experimental"] : []),
    ];
    expect(rest).toEqual(expected);
    const area = `gcp.${examples[example]}.`;
    expect(findings.filter(({ id }) => id.startsWith(area)).length).toBeGreaterThan(2);
  });

  it("is changed by the variables that findings name", () => {
    const unknown = Object.values(terraformVariables).flatMap(({ module, variables }) => {
      const text = readFileSync(join(modules, module, "variables.tf"), "utf8");
      const known = new Set([...text.matchAll(/^variable "(\w+)"/gm)].map((match) => match[1]));
      return variables.filter((name) => !known.has(name)).map((name) => `${module}: ${name}`);
    });
    expect(unknown).toEqual([]);
  });
});
