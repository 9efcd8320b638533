import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Service } from "kubernetes-models/v1/Service";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import type { KubernetesObject } from "./helm.ts";

const root: string = join(import.meta.dirname, "../..");

/** What Kubernetes' own OpenAPI description says of a kind, made into a check of values. */
type Model = new (data: never) => { validate(): void };

/** Kinds by `<apiVersion>/<kind>`; those without a model are of other projects, and only their shape is checked. */
const kinds: Readonly<Record<string, Model | null>> = {
  "apps/v1/Deployment": Deployment,
  "apps/v1/StatefulSet": StatefulSet,
  "autoscaling/v2/HorizontalPodAutoscaler": HorizontalPodAutoscaler,
  "networking.k8s.io/v1/NetworkPolicy": NetworkPolicy,
  "policy/v1/PodDisruptionBudget": PodDisruptionBudget,
  "v1/Service": Service,
  "v1/ServiceAccount": ServiceAccount,
  "monitoring.googleapis.com/v1/PodMonitoring": null,
  "external-secrets.io/v1/ExternalSecret": null,
};

/**
 * What is wrong with objects for Kubernetes, a sentence each: values that its OpenAPI description forbids, and, which that
 * allows but a person never means, fields that it does not know. The latter are found by the TypeScript compiler, which
 * refuses unknown fields of a literal, from types made of the same description.
 */
export async function checkManifests(objects: readonly KubernetesObject[]): Promise<readonly string[]> {
  const wrongValues = objects.flatMap((object) => {
    const model = kinds[kindOf(object)];
    if (model === undefined) return [`${kindOf(object)} is no kind that is known`];
    if (model === null) return [];
    try {
      new model(object as never).validate();
      return [];
    } catch (error) {
      return [`${kindOf(object)}: ${String(error)}`];
    }
  });
  return [...wrongValues, ...(await wrongShapes(objects.filter((object) => kindOf(object) in kinds)))];
}

const kindOf = ({ apiVersion, kind }: KubernetesObject): string => `${apiVersion}/${kind}`;

async function wrongShapes(objects: readonly KubernetesObject[]): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "tape-manifests-"));
  try {
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    const literals = objects.map((object, i) => {
      const from = kinds[kindOf(object)] === null ? join(import.meta.dirname, "custom-resources.ts") : modelOf(object);
      return `export const m${i}: import(${JSON.stringify(from)}).I${object.kind} = ${JSON.stringify(object, undefined, 1)};`;
    });
    await writeFile(join(folder, "manifests.ts"), literals.join("\n"));
    const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--types", "", "--allowImportingTsExtensions"];
    const words = [tsc, ...options, "--module", "nodenext", "manifests.ts"];
    await promisify(execFile)(process.execPath, words, { cwd: folder });
    return [];
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    if (!stdout) throw error;
    return stdout.trim().split("\n");
  } finally {
    await rm(folder, { recursive: true });
  }
}

const modelOf = (object: KubernetesObject): string => `kubernetes-models/${kindOf(object)}`;
