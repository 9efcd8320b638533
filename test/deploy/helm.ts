import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { pathFolders, programIn } from "../postgres/program-folders.ts";

const run = promisify(execFile);
const root: string = join(import.meta.dirname, "../..");

/** The chart. */
export const chart: string = join(root, "deploy/helm/tape");

/** What `helm template` said. */
export interface Rendered {
  /** The objects, in order. */
  readonly objects: readonly KubernetesObject[];
  /** Standard error, which is where Helm complains about values. */
  readonly complaints: string;
}

/** Anything that Kubernetes keeps. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
}

/** Path of a Helm program: `TAPE_TEST_HELM`, or one that is installed. Rejects with how to get one. */
export async function findHelm(): Promise<string> {
  const given = process.env["TAPE_TEST_HELM"];
  if (given !== undefined && given !== "") return given;
  const fetched = join(root, "build", "helm", "helm");
  const found = existsSync(fetched) ? fetched : programIn(pathFolders(), "helm");
  if (found !== undefined) return found;
  throw new Error("no Helm found: `node scripts/install-helm.js` fetches one, or name it in TAPE_TEST_HELM");
}

/** Renders the chart as `helm template` does, with values on top of those of the files. */
export async function renderChart(files: readonly string[], values: object = {}): Promise<Rendered> {
  const helm = await findHelm();
  const words = ["template", "demo", chart, "--namespace", "agents", ...files.flatMap((file) => ["--values", file])];
  const scratch = await mkdtemp(join(tmpdir(), "tape-values-"));
  try {
    const own = join(scratch, "values.json");
    await writeFile(own, JSON.stringify(values));
    const { stdout } = await run(helm, [...words, "--values", own], { env: { HOME: scratch }, maxBuffer: 2 ** 24 });
    return {
      objects: parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject),
      complaints: "",
    };
  } catch (error) {
    return { objects: [], complaints: String((error as { readonly stderr?: string }).stderr ?? error) };
  } finally {
    await rm(scratch, { recursive: true });
  }
}
