// Checks the Terraform configurations in deploy/terraform without a network and without an account:
//
//   node scripts/terraform/check.js [folder] [--without-terraform]
//
// Always, with what npm installs: every resource, block and argument against the schema of the google provider, and every
// name against what is declared. Where Terraform 1.9 or OpenTofu 1.9 is on the path (or TAPE_TERRAFORM names one), also
// `fmt`, `validate` and `test`, against a stand-in for the provider. No npm or Debian package carries either program, so
// their absence is said, and is no failure.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkProtection } from "./check-protection.js";
import { checkReferences } from "./check-references.js";
import { checkSchema } from "./check-schema.js";
import { readModules } from "./configuration.js";
import { findTerraform, OfflineTerraform } from "./offline-terraform.js";
import { readRecord, serviceManifests, sourceDigest } from "./service-manifests.js";

const root = join(import.meta.dirname, "../..");
const options = process.argv.slice(2);
const folder = options.find((option) => !option.startsWith("--")) ?? join(root, "deploy/terraform");
const isOwn = folder === join(root, "deploy/terraform");

/** @type {string[]} */
const faults = [];

const schema = /** @type {import("./check-schema.js").Schema} */ (
  JSON.parse(readFileSync(join(import.meta.dirname, "google-schema.json"), "utf8"))
);
const { modules, problems } = await readModules(folder);
const found = [...problems, ...checkSchema(modules, schema), ...checkReferences(modules, schema)];
faults.push(...found.map(({ file, line, text }) => `${file}:${line}: ${text}`));
console.log(`schema: ${modules.length} modules and examples, ${found.length} faults`);
if (isOwn && readRecord().digest !== sourceDigest(modules)) {
  faults.push("what tests start is older than the modules: npm run generate:manifests, where Terraform is installed");
}

const program = options.includes("--without-terraform") ? null : findTerraform(process.env);
if (program === null) {
  console.log(
    "fmt, validate and test were left out: neither terraform nor tofu is on the path, and npm has no package with either inside; https://developer.hashicorp.com/terraform/install or https://opentofu.org/docs/intro/install",
  );
} else {
  await checkWithTerraform(program);
}

for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;

/** @param {string} terraform */
async function checkWithTerraform(terraform) {
  const offline = await OfflineTerraform.open(terraform, folder);
  try {
    const format = await offline.run(".", ["fmt", "-check", "-recursive", "-diff", "-no-color"]);
    if (format.status !== 0) faults.push(`${terraform} fmt:\n${format.output}`);
    const folders = modules.map((module) => module.folder);
    const counts = { passed: 0, failed: 0 };
    // Two at a time: each is a process with a provider of its own.
    await Promise.all([checkEach(), checkEach()]);
    console.log(`${terraform}: fmt, validate, ${counts.passed} tests passed, ${counts.failed} failed`);
    if (isOwn) faults.push(...(await checkProtection(offline)));
    if (isOwn && JSON.stringify(await serviceManifests(offline)) !== JSON.stringify(readRecord().services)) {
      faults.push("the examples deploy something else than tests start: npm run generate:manifests");
    }

    async function checkEach() {
      for (let next = folders.shift(); next !== undefined; next = folders.shift()) {
        const name = next;
        const init = await offline.run(name, ["init", "-backend=false", "-input=false", "-no-color"]);
        const validate = init.status === 0 ? await offline.run(name, ["validate", "-no-color"]) : init;
        if (validate.status !== 0) {
          faults.push(`${terraform} validate, in ${name}:\n${validate.output}`);
          continue;
        }
        const test = await offline.run(name, ["test", "-no-color"]);
        const [, passed = "0", failed = "0"] = /(\d+) passed, (\d+) failed/.exec(test.output) ?? [];
        counts.passed += Number(passed);
        counts.failed += Number(failed);
        if (test.status !== 0) faults.push(`${terraform} test, in ${name}:\n${test.output}`);
      }
    }
  } finally {
    offline.close();
  }
}
