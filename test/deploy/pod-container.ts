import type { StartedContainer } from "./container-process.ts";
import type { KubernetesObject } from "./helm.ts";

/** The pod of a Deployment or a StatefulSet, as far as tests look at it. */
export interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly PodContainer[];
  readonly initContainers?: readonly PodContainer[];
  readonly volumes: readonly {
    readonly name: string;
    readonly secret?: { readonly secretName: string; readonly items: readonly { key: string; path: string }[] };
  }[];
}

interface PodContainer {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe?: Probe;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number; readonly scheme?: "HTTP" | "HTTPS" };
}

/** Contents of Secrets: by name, then by key. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The pod of the one Deployment or StatefulSet among objects. */
export function podOf(objects: readonly KubernetesObject[]): PodSpec {
  const found = objects.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
  const [workload] = found;
  if (workload === undefined || found.length > 1) throw new Error(`${found.length} workloads`);
  return (workload.spec as { readonly template: { readonly spec: PodSpec } }).template.spec;
}

/** A container of a pod by its name. */
export function containerOf(pod: PodSpec, name: string): PodContainer {
  const all = [...pod.containers, ...(pod.initContainers ?? [])];
  const found = all.find((container) => container.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

/** The port that a probe asks. */
export function probedPort(container: PodContainer, { httpGet: { port } }: Probe): number {
  return typeof port === "number" ? port : (container.ports.find(({ name }) => name === port)?.containerPort ?? 0);
}

/** A container as the kubelet starts it: the image's own entry point unless the pod says otherwise, and Secrets looked up. */
export function startedContainer(container: PodContainer, image: StartedContainer, secrets: Secrets): StartedContainer {
  const own = (container.env ?? []).map(({ name, value, valueFrom }) => {
    if (value !== undefined) return [name, value] as const;
    const { name: secret = "", key = "" } = valueFrom?.secretKeyRef ?? {};
    const found = secrets[secret]?.[key];
    if (found === undefined) throw new Error(`${name} is in no Secret`);
    return [name, found] as const;
  });
  return {
    command: container.command ?? image.command,
    args: container.args ?? (container.command === undefined ? image.args : []),
    env: { ...image.env, ...Object.fromEntries(own) },
  };
}

/** Files that Secrets put into a container: their contents by path. */
export function mountedSecrets(
  pod: PodSpec,
  container: PodContainer,
  secrets: Secrets,
): Readonly<Record<string, string>> {
  const files = (container.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
    const secret = pod.volumes.find((volume) => volume.name === name)?.secret;
    return (secret?.items ?? []).map(({ key, path }) => {
      const content = secrets[secret?.secretName ?? ""]?.[key];
      if (content === undefined) throw new Error(`${mountPath}/${path} is in no Secret`);
      return [`${mountPath}/${path}`, content] as const;
    });
  });
  return Object.fromEntries(files);
}
