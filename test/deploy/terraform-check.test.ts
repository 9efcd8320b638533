import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../..");

interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** Runs the check on a module alone, with one place of it changed. */
async function check(module: string, from: string, to: string, ...options: readonly string[]): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "tape-planted-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, "deploy/terraform/modules", module), join(folder, module), { recursive: true });
  const file = join(folder, module, "main.tf");
  const text = readFileSync(file, "utf8");
  if (text.split(from).length !== 2) throw new Error(`${from} does not stand in ${module}/main.tf exactly once`);
  writeFileSync(file, text.replace(from, to));
  return await run(folder, ...options);
}

function run(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, "scripts/terraform/check.js"), ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

const withoutTerraform = "--without-terraform";
const program = ["terraform", "tofu"].find((name) => spawnSync(name, ["version"]).status === 0);
const missing = "neither terraform nor tofu is on the path: https://opentofu.org/docs/intro/install";
// No package that tests could install has either inside, so even CI may miss it.
if (program === undefined) process.stderr.write(`skipped: faults as Terraform itself sees them: ${missing}\n`);

const faults = [
  {
    fault: "a misspelt argument",
    from: "allow_transactional_writes = true",
    to: "allow_transactional_write = true",
    named: "unknown argument allow_transactional_write; did you mean allow_transactional_writes?",
    line: "allow_transactional_write =",
    terraform: /Unsupported argument[\s\S]*allow_transactional_write/,
  },
  {
    fault: "a misspelt block",
    from: "single_cluster_routing {",
    to: "single_cluster_route {",
    named: "unknown block single_cluster_route; did you mean single_cluster_routing?",
    line: "single_cluster_route {",
    terraform: /Unsupported block type[\s\S]*single_cluster_route/,
  },
  {
    fault: "a missing argument",
    from: "  app_profile_id = var.app_profile\n",
    to: "",
    named: "google_bigtable_app_profile.tape: argument app_profile_id is required and missing",
    line: 'resource "google_bigtable_app_profile" "tape"',
    terraform: /Missing required argument[\s\S]*app_profile_id/,
  },
  {
    fault: "a value of another type",
    from: "    number = 1\n",
    to: '    number = "one"\n',
    named: 'argument number is no number: "one"',
    line: 'number = "one"',
    terraform: /Incorrect attribute value type[\s\S]*a number is required|Invalid value for[\s\S]*number/,
  },
  {
    fault: "a type that there is not",
    from: 'resource "google_bigtable_table" "tape"',
    to: 'resource "google_bigtable_tables" "tape"',
    named: "unknown resource type google_bigtable_tables; did you mean google_bigtable_table?",
    line: 'resource "google_bigtable_tables" "tape"',
    terraform: /Invalid resource type[\s\S]*google_bigtable_tables/,
  },
  {
    fault: "a variable that there is not",
    from: "cpu_target = var.cpu_target",
    to: "cpu_target = var.cpu_goal",
    named: "there is no variable cpu_goal",
    line: "var.cpu_goal",
    terraform: /undeclared input variable[\s\S]*cpu_goal/,
  },
];

describe("the check of Terraform modules", () => {
  it("finds nothing wrong with the modules and examples", async () => {
    expect(await run(withoutTerraform)).toMatchObject({ status: 0 });
  });

  describe.each(faults)("$fault", ({ from, to, named, line, terraform }) => {
    it("is named with its file and line", async () => {
      const { status, output } = await check("bigtable", from, to, withoutTerraform);
      expect(status).toBe(1);
      const [, number = "0"] = /^bigtable\/main\.tf:(\d+): /m.exec(output) ?? [];
      const text = readFileSync(join(root, "deploy/terraform/modules/bigtable/main.tf"), "utf8").replace(from, to);
      expect(output).toContain(named);
      expect(text.split("\n")[Number(number) - 1]).toContain(line);
    });

    it("is refused by Terraform, which knows it from the stand-in", async ({ skip }) => {
      skip(program === undefined, missing);
      const { status, output } = await check("bigtable", from, to);
      expect(status).toBe(1);
      expect(output).toMatch(terraform);
    });
  });

  it("runs the modules' own tests, and names one that fails", async ({ skip }) => {
    skip(program === undefined, missing);
    const { status, output } = await check("bigtable", "    number = 1\n", "    number = 2\n");
    expect(status).toBe(1);
    expect(output).toContain("Family m must keep one version.");
  });

  it("says what it leaves out, and why, where there is no Terraform", async () => {
    const { output } = await run(join(root, "deploy/terraform/modules/spanner"), withoutTerraform);
    expect(output).toMatch(/fmt, validate and test were left out: neither terraform nor tofu is on the path/);
  });
});
