import record from "./service-manifests.json" with { type: "json" };

/* What the Terraform examples deploy, as scripts/terraform/service-manifests.js has recorded it. `npm run check:terraform`
   refuses a record that is older than the configurations. */

/** A probe as declared. */
export interface Probe {
  readonly path: string;
  readonly port: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

/** The container of the server. */
export interface ServerContainer {
  readonly args: readonly string[];
  /** Plain variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables that come from Secret Manager. */
  readonly secretEnv: readonly string[];
  readonly port: number;
  readonly startup: Probe;
  readonly liveness: Probe;
}

/** What an example deploys. */
export interface Deployment {
  readonly example: string;
  readonly server: ServerContainer;
  readonly storeUrl: string;
  /** What an administrator runs before the first start. */
  readonly setupSql: string | null;
  readonly grants: readonly Grant[];
}

/** A role that somebody is given. */
interface Grant {
  /** On what: `project`, `bigtable_table` ... */
  readonly on: string;
  readonly role: string;
  readonly member: string;
  readonly condition?: readonly { readonly expression: string }[];
}

interface DeclaredProbe {
  readonly failure_threshold: number;
  readonly period_seconds: number;
  readonly timeout_seconds: number;
  readonly http_get: readonly { readonly path: string; readonly port: number }[];
}

interface DeclaredContainer {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly value_source?: readonly unknown[];
  }[];
  readonly ports?: readonly { readonly container_port: number; readonly name: string }[];
  readonly startup_probe?: readonly DeclaredProbe[];
  readonly liveness_probe?: readonly DeclaredProbe[];
}

interface DeclaredService {
  readonly template: readonly { readonly containers: readonly DeclaredContainer[] }[];
}

/** All examples. */
export const deployments: readonly Deployment[] = Object.entries(record.services).map(
  ([example, { service, storeUrl, setupSql, grants }]) => ({
    example,
    grants,
    server: serverOf(service as unknown as DeclaredService, example),
    storeUrl,
    setupSql,
  }),
);

/** One of them. */
export function deploymentOf(example: string): Deployment {
  const found = deployments.find((deployment) => deployment.example === example);
  if (found === undefined) throw new Error(`no example ${example}`);
  return found;
}

function serverOf({ template }: DeclaredService, example: string): ServerContainer {
  const container = template[0]?.containers.find(({ name }) => name === "server");
  const [port] = container?.ports ?? [];
  if (container === undefined || port === undefined) throw new Error(`${example} deploys no server with a port`);
  const { args = [], env = [], startup_probe, liveness_probe } = container;
  const secretEnv = env.filter(({ value_source: source = [] }) => source.length > 0).map(({ name }) => name);
  return {
    args,
    env: Object.fromEntries(env.flatMap(({ name, value }) => (secretEnv.includes(name) ? [] : [[name, value ?? ""]]))),
    secretEnv,
    port: port.container_port,
    startup: probeOf(startup_probe, example),
    liveness: probeOf(liveness_probe, example),
  };
}

function probeOf(declared: readonly DeclaredProbe[] | undefined, example: string): Probe {
  const [probe] = declared ?? [];
  const [http] = probe?.http_get ?? [];
  if (probe === undefined || http === undefined) throw new Error(`${example} declares no HTTP probe`);
  return {
    ...http,
    periodSeconds: probe.period_seconds,
    timeoutSeconds: probe.timeout_seconds,
    failureThreshold: probe.failure_threshold,
  };
}
