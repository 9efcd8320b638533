// What the examples deploy as the server's Cloud Run service, as a record that tests start: made by applying the examples
// against the stand-in. The record is committed, because not every machine that runs the tests has Terraform.
//
//   npm run generate:manifests
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readModules } from "./configuration.js";
import { findTerraform, OfflineTerraform } from "./offline-terraform.js";

const root = join(import.meta.dirname, "../..");
const recordPath = join(root, "test/deploy/service-manifests.json");

/** The server's service; the store's URL in the secret; what an administrator runs first, if anything; all grants.
 * @typedef {{ service: unknown, storeUrl: unknown, setupSql: unknown, grants: unknown[] }} Deployment */

/** Digest of the configurations it was made from, and what each example deploys.
 * @typedef {{ digest: string, services: Record<string, Deployment> }} Record_ */

/** @returns {Record_} */
export function readRecord() {
  return /** @type {Record_} */ (JSON.parse(readFileSync(recordPath, "utf8")));
}

/** Of what the files mean: comments and layout make no difference.
 * @param {readonly import("./configuration.js").Module[]} modules */
export function sourceDigest(modules) {
  const meaning = modules.flatMap(({ files }) => files.map(({ path, body }) => [path, body]));
  return createHash("sha256").update(JSON.stringify(meaning)).digest("hex");
}

/**
 * Applies every example, and gives what each deploys.
 * @param {OfflineTerraform} offline
 * @returns {Promise<Record<string, Deployment>>}
 */
export async function serviceManifests(offline) {
  const { modules } = await readModules(offline.root);
  /** @type {Record<string, Deployment>} */
  const services = {};
  for (const { folder } of modules.filter((module) => module.folder.startsWith("examples/"))) {
    await demand(offline, folder, ["init", "-backend=false", "-input=false", "-no-color"]);
    const variables = ["-var=project=acme", "-var=ready=true"];
    await demand(offline, folder, ["apply", "-auto-approve", "-input=false", "-no-color", ...variables]);
    const { values } = /** @type {{ values: StateValues }} */ (
      JSON.parse(await demand(offline, folder, ["show", "-json"]))
    );
    const resources = resourcesOf(values.root_module);
    const valuesOf = (/** @type {string} */ address) => {
      const found = resources.find((resource) => resource.address === address);
      if (found === undefined) throw new Error(`${folder} has no ${address}`);
      return found.values;
    };
    services[folder.replace("examples/", "")] = {
      service: withoutEmpty(valuesOf("module.server[0].google_cloud_run_v2_service.this")),
      storeUrl: valuesOf("module.store_secret.google_secret_manager_secret_version.store[0]")["secret_data"],
      setupSql: values.outputs["next_step"]?.value ?? null,
      grants: resources.filter(({ type }) => type.includes("_iam_")).map(grantOf),
    };
  }
  return services;
}

/** @typedef {{ outputs: Record<string, { value: unknown }>, root_module: StateModule }} StateValues
 * @typedef {{ address: string, type: string, values: Record<string, unknown> }} StateResource
 * @typedef {{ resources?: StateResource[], child_modules?: StateModule[] }} StateModule */

/** @param {StateResource} resource */
function grantOf({ type, values }) {
  const { role, member, condition } = values;
  return withoutEmpty({ on: type.replace(/^google_|_iam_\w+$/g, ""), role, member, condition });
}

/** @param {StateModule} module @returns {StateResource[]} */
function resourcesOf({ resources = [], child_modules = [] }) {
  return [...resources, ...child_modules.flatMap(resourcesOf)];
}

/** @param {OfflineTerraform} offline @param {string} folder @param {readonly string[]} args */
async function demand(offline, folder, args) {
  const { status, output } = await offline.run(folder, args);
  if (status !== 0) throw new Error(`${args[0]} in ${folder} failed:\n${output}`);
  return output;
}

/** Without what is null, empty or made up: what is left is what the modules say. @param {unknown} value @returns {unknown} */
function withoutEmpty(value) {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => !isEmpty(inner) && !String(inner).startsWith("made-up-"));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutEmpty(inner)]));
}

/** @param {unknown} value */
function isEmpty(value) {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

if (process.argv[1] === import.meta.filename) {
  const program = findTerraform(process.env);
  if (program === null) throw new Error("neither terraform nor tofu is on the path");
  const source = join(root, "deploy/terraform");
  const offline = await OfflineTerraform.open(program, source);
  try {
    const { modules } = await readModules(source);
    const record = { digest: sourceDigest(modules), services: await serviceManifests(offline) };
    writeFileSync(recordPath, `${JSON.stringify(record, null, 2)}\n`);
  } finally {
    offline.close();
  }
}
