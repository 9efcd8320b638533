import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import manifest from "../../package.json" with { type: "json" };
import { loadConfig } from "../../src/server/config.ts";
import { listSettings } from "../../src/server/settings.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { freePort } from "../postgres/loopback-port.ts";
import { describePostgres, newSchema } from "../postgres/shared-server.ts";
import { GrpcCaller } from "../server/grpc-caller.ts";
import { checkManifests } from "./check-manifests.ts";
import { ContainerProcess, type ContainerEnd } from "./container-process.ts";
import { dockerfileText, imageConfig } from "./dockerfile.ts";
import { chart, findHelm, renderChart, type KubernetesObject } from "./helm.ts";
import { containerOf, mountedSecrets, podOf, probedPort, startedContainer, type Secrets } from "./pod-container.ts";

const example = (name: string): string => join(chart, "examples", `${name}.yaml`);
const examples = readdirSync(join(chart, "examples")).map((file) => basename(file, ".yaml"));
const token = "a-token-of-the-test-0123456789";
const secrets: Secrets = { "tape-tokens": { tokens: `# one tenant\nagents:${token}\n` } };

// Where there is no Helm these tests are skipped and say how to get it; with `CI=true` they fail.
const missing = await findHelm().then(
  () => "",
  (error: unknown) => String(error),
);
beforeEach(({ skip }) => skip(missing !== "" && process.env["CI"] !== "true", missing));

async function rendered(files: readonly string[], values: object = {}): Promise<readonly KubernetesObject[]> {
  const { objects, complaints } = await renderChart(files, values);
  expect(complaints).toBe("");
  return objects;
}

const kindsOf = (objects: readonly KubernetesObject[]): readonly string[] => objects.map(({ kind }) => kind).toSorted();
const one = (objects: readonly KubernetesObject[], kind: string): KubernetesObject => {
  const found = objects.find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
};

describe("rendered manifests", () => {
  it.each(examples)("of %s are what Kubernetes knows", async (name) => {
    await expect(checkManifests(await rendered([example(name)]))).resolves.toEqual([]);
  });

  it("of everything at once are, too", async () => {
    const objects = await rendered([example("postgres")], {
      imagePullSecrets: ["registry"],
      service: { type: "LoadBalancer", annotations: { "networking.gke.io/load-balancer-type": "Internal" } },
      serviceAccount: { annotations: { a: "b" }, gcpServiceAccount: "tape-server@my-project.iam.gserviceaccount.com" },
      podAnnotations: { "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" },
      podLabels: { team: "agents" },
      nodeSelector: { "cloud.google.com/gke-spot": "true" },
      tolerations: [{ key: "spot", operator: "Exists", effect: "NoSchedule" }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      priorityClassName: "important",
      server: { settings: { TAPE_MAX_PENDING: "20000" } },
      auth: {
        mode: "jwt",
        audience: ["https://a"],
        issuer: "https://b",
        jwksUrl: "https://c",
        rulesConfigMapName: "rules",
      },
      tls: { secretName: "tape-tls" },
      alloydbProxy: { enabled: true, ip: "psc", instance: "projects/p/locations/r/clusters/c/instances/i" },
    });
    await expect(checkManifests(objects)).resolves.toEqual([]);
    expect(kindsOf(objects)).toEqual([
      "Deployment",
      "HorizontalPodAutoscaler",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "PodMonitoring",
      "Service",
      "ServiceAccount",
    ]);
  });

  it.each<[string, (text: string) => string, string]>([
    [
      "a misspelt field",
      (text) => text.replace("readinessProbe", "readynessProbe"),
      '"readynessProbe"\' does not exist',
    ],
    [
      "a field at the wrong place",
      (text) => text.replace('"spec":{', '"spec":{"image":"x",'),
      '"image"\' does not exist',
    ],
    ["a wrong type", (text) => text.replace('"replicas":2', '"replicas":"two"'), "replicas"],
    ["a word that is none", (text) => text.replace("RollingUpdate", "Rolling"), "strategy"],
    ["a value of the wrong form", (text) => text.replace('"memory":"1Gi"', '"memory":{"a":1}'), "memory"],
    [
      "what is missing",
      (text) => text.replace(/"selector":\{"matchLabels":\{[^}]*\}\},"template"/, '"template"'),
      "sele",
    ],
    ["a kind that is none", (text) => text.replace('"kind":"Deployment"', '"kind":"Deploy"'), "Deploy is no kind"],
  ])("with %s are caught", async (_what, spoil, complaint) => {
    const text = JSON.stringify(one(await rendered([example("bigtable")]), "Deployment"));
    expect(spoil(text)).not.toBe(text);
    const complaints = await checkManifests([JSON.parse(spoil(text)) as KubernetesObject]);
    expect(complaints.join("\n")).toContain(complaint);
  });
});

describe("values", () => {
  it.each<[string, object, string]>([
    ["no image", { image: { repository: "" } }, "/image/repository"],
    ["a tag that moves", { image: { tag: "latest" } }, "/image/tag"],
    ["a word that is not known", { store: { knd: "postgres" } }, "knd"],
    ["a kind of store that there is not", { store: { kind: "mysql" } }, "/store/kind"],
    ["a wrong type", { replicas: "two" }, "/replicas"],
    ["a password in the URL", { store: { secretName: "", url: "postgres://tape:secret@db/tape" } }, "/store/url"],
    ["a password as parameter", { store: { secretName: "", url: "postgres://db/tape?password=secret" } }, "/store/url"],
    ["two places for the URL", { store: { url: "postgres://tape@db/tape" } }, "/store"],
    ["no place for the URL", { store: { secretName: "" } }, "/store"],
    ["the URL of another store", { store: { secretName: "", url: "bigtable://p/i/t" } }, "/store/url"],
    ["no tokens", { auth: { tokensSecretName: "" } }, "/auth/tokensSecretName"],
    ["ID tokens for anybody", { auth: { mode: "google", allow: ["a@b"] } }, "/auth/audience"],
    ["ID tokens of nobody", { auth: { mode: "google", audience: ["https://a"] } }, "/auth/allow"],
    [
      "callers in two places",
      { auth: { mode: "google", audience: ["https://a"], allow: ["a@b"], rulesConfigMapName: "rules" } },
      "/auth",
    ],
    ["ID tokens of no issuer", { auth: { mode: "jwt", audience: ["https://a"], allow: ["a"] } }, "/auth/issuer"],
    ["a proxy to nowhere", { alloydbProxy: { enabled: true } }, "/alloydbProxy/instance"],
    ["a size that is none", { server: { cacheBytes: "128Mi" } }, "/server/cacheBytes"],
    ["a setting that is none", { server: { settings: { TAPE_MAX_PENDNG: "1" } } }, "TAPE_MAX_PENDNG"],
    ["a setting that has its own place", { server: { settings: { TAPE_STORE: "memory:" } } }, "TAPE_STORE"],
    ["several servers of one file", { store: { kind: "sqlite", secretName: "" }, replicas: 2 }, "/replicas"],
  ])("with %s are refused", async (_what, values, complaint) => {
    const { objects, complaints } = await renderChart([example("postgres")], {
      autoscaling: { enabled: false },
      ...values,
    });
    expect(objects).toEqual([]);
    expect(complaints).toContain(complaint);
    expect(complaints).not.toContain("secret@");
  });

  it("are all described, and the defaults fit but for what must be set", async () => {
    const { complaints } = await renderChart([], {});
    expect(complaints).toMatch(/\/image\/repository/);
    const defaults = parse(readFileSync(join(chart, "values.yaml"), "utf8")) as object;
    const schema = JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8")) as {
      readonly properties: object;
    };
    expect(Object.keys(schema.properties).filter((name) => name !== "global")).toEqual(Object.keys(defaults));
  });

  it("name settings that a server knows", () => {
    const schema = readFileSync(join(chart, "values.schema.json"), "utf8");
    const named = new Set(schema.match(/TAPE_\w+/g));
    const known = new Set(listSettings().map(({ env }) => env));
    expect(named.size).toBeGreaterThan(4);
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });

  it("have a place for every setting of a server, but for tokens in the environment", () => {
    const files = ["values.schema.json", "templates/_pod.tpl"].map((file) => readFileSync(join(chart, file), "utf8"));
    const named = new Set(files.join("\n").match(/TAPE_\w+/g));
    const nowhere = listSettings().filter(({ env }) => !named.has(env));
    expect(nowhere.map(({ env }) => env)).toEqual(["TAPE_TOKENS"]);
  });

  it("have the versions of the package", () => {
    const { version, appVersion } = parse(readFileSync(join(chart, "Chart.yaml"), "utf8")) as Record<string, string>;
    expect({ version, appVersion }).toEqual({ version: manifest.version, appVersion: manifest.version });
  });
});

it.each(examples)("Helm's own lint has no complaint about %s", async (name) => {
  const lint = promisify(execFile)(await findHelm(), ["lint", "--strict", chart, "--values", example(name)]);
  await expect(lint).resolves.toMatchObject({
    stdout: expect.stringContaining("1 chart(s) linted, 0 chart(s) failed"),
  });
});

describe("pods", () => {
  it.each(examples)("of %s run as nobody, read-only, without rights", async (name) => {
    const pod = podOf(await rendered([example(name)]));
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
    });
    for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: { requests: { memory: expect.any(String) }, limits: { memory: expect.any(String) } },
      });
    }
    expect(imageConfig(dockerfileText()).user).toBe("65532:65532");
  });

  it.each([
    [20_000, 5, 30],
    [10_001, 0, 16],
    [0, 10, 15],
  ])("have longer to stop than the server: %i ms and %i s take %i s", async (graceMs, preStopSeconds, expected) => {
    const pod = podOf(await rendered([example("bigtable")], { server: { graceMs, preStopSeconds } }));
    expect(pod.terminationGracePeriodSeconds).toBe(expected);
  });

  it("of AlloyDB have the proxy as a sidecar that is there first", async () => {
    const proxy = containerOf(podOf(await rendered([example("alloydb")])), "alloydb-auth-proxy");
    expect(proxy.restartPolicy).toBe("Always");
    expect(proxy.args?.at(-1)).toBe("projects/my-project/locations/europe-west1/clusters/main/instances/primary");
    expect(probedPort(proxy, proxy.startupProbe)).toBe(9801);
    expect(proxy.args).toContain("--http-port=9801");
  });

  it("of SQLite are one, with a volume that outlives them", async () => {
    const objects = await rendered([example("sqlite")]);
    expect(kindsOf(objects)).toEqual(["Service", "ServiceAccount", "StatefulSet"]);
    expect(one(objects, "StatefulSet").spec).toMatchObject({
      replicas: 1,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain" },
      volumeClaimTemplates: [
        { spec: { accessModes: ["ReadWriteOncePod"], resources: { requests: { storage: "20Gi" } } } },
      ],
    });
  });

  it("have a configuration that a server takes, whatever the example", async () => {
    for (const name of examples) {
      const pod = podOf(await rendered([example(name)]));
      const all = {
        ...secrets,
        "tape-store": { url: "postgres://u@h/d" },
        "demo-tape-store": { url: "postgres://u@h/d" },
      };
      const { env, args } = startedContainer(containerOf(pod, "tape"), imageConfig(dockerfileText()), all);
      expect(args).toEqual(["serve"]);
      // The file of tokens is not here; everything else is as it will be there.
      const { TAPE_TOKENS_FILE, ...others } = env;
      expect(TAPE_TOKENS_FILE).toBe("/etc/tape/tokens/tokens");
      const known = new Set(["TAPE_SPANNER_EXPERIMENTAL", ...listSettings().map((setting) => setting.env)]);
      expect(Object.keys(env).filter((variable) => variable.startsWith("TAPE_") && !known.has(variable))).toEqual([]);
      const config = loadConfig({}, { ...others, TAPE_TOKENS: token }, false);
      expect(config.listen).toEqual({ host: "0.0.0.0", port: 7878 });
      expect(config.graceMs).toBe(20_000);
    }
  });

  it.each<[string, object]>([
    ["google", { audience: ["https://a", "https://b"], allow: ["a@p.iam.gserviceaccount.com"], scopes: ["*"] }],
    [
      "jwt",
      { audience: ["https://a"], allow: ["system:serviceaccount:n:a"], issuer: "https://b", jwksUrl: "https://c" },
    ],
  ])("with %s tokens have a configuration that a server takes", async (mode, auth) => {
    const objects = await rendered([example("bigtable")], { auth: { mode, tokensSecretName: "", ...auth } });
    const { env } = startedContainer(containerOf(podOf(objects), "tape"), imageConfig(dockerfileText()), {});
    expect(loadConfig({}, env, false).auth).toBe(mode);
  });

  it("without authentication say so in full", async () => {
    const objects = await rendered([example("bigtable")], { auth: { mode: "none", tokensSecretName: "" } });
    const { env } = startedContainer(containerOf(podOf(objects), "tape"), imageConfig(dockerfileText()), {});
    expect(loadConfig({}, env, false).auth).toBe("none");
  });
});

/** Starts the server that a pod would be, with its files in a folder, and asks what the kubelet and a client ask. */
async function deploy(files: readonly string[], values: object, given: Secrets): Promise<ContainerProcess> {
  const port = await freePort();
  const pod = podOf(await rendered(files, { ...values, server: { port } }));
  const container = containerOf(pod, "tape");
  const image = imageConfig(dockerfileText());
  const { command, args, env } = startedContainer(container, image, given);
  const folder = await mkdtemp(join(tmpdir(), "tape-pod-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const mount of container.volumeMounts ?? []) await mkdir(join(folder, mount.mountPath), { recursive: true });
  for (const [path, content] of Object.entries(mountedSecrets(pod, container, given))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  // The one difference to the pod: nobody else is to reach a test.
  expect(env["TAPE_LISTEN"]).toBe(`0.0.0.0:${port}`);
  const local = { ...env, TAPE_LISTEN: `127.0.0.1:${port}`, METADATA_SERVER_DETECTION: "none" };
  const server = new ContainerProcess(
    { command, args, env: local },
    {
      paths: {
        "/app": join(import.meta.dirname, "../.."),
        "/data": join(folder, "data"),
        "/etc/tape": join(folder, "etc/tape"),
      },
      workingDir: folder,
    },
  );
  onTestFinished(() => server.kill());
  await server.listening();
  for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
    if (probe === undefined) throw new Error("a probe is missing");
    expect(probedPort(container, probe)).toBe(port);
    await expect(server.probe(probe.httpGet.path, probe.httpGet.scheme)).resolves.toBe(200);
  }
  return server;
}

/** Uses it with a token and without, stops it, and resolves to how it ended. */
async function useAndStop(server: ContainerProcess): Promise<ContainerEnd> {
  const caller = new GrpcCaller(await server.listening());
  onTestFinished(() => caller.close());
  const request = { appName: "chart", invocationId: "1", leaseOwner: "test" };
  const { response } = await caller.unary("beginRun", request, { authorization: `Bearer ${token}` });
  expect(response.runId).toMatch(/^run-/);
  await expect(caller.unary("beginRun", request)).rejects.toMatchObject({ reason: "CREDENTIALS_MISSING" });
  server.terminate();
  return server.ended;
}

describe("a server started as in the pod", () => {
  it("on SQLite", async () => {
    await expect(useAndStop(await deploy([example("sqlite")], {}, secrets))).resolves.toMatchObject({ code: 0 });
  });

  it("with TLS, which probes speak then too", async () => {
    const pem = (name: string): string => readFileSync(join(import.meta.dirname, "../server/tls", name), "utf8");
    const given = { ...secrets, "tape-tls": { "tls.crt": pem("cert.pem"), "tls.key": pem("key.pem") } };
    const server = await deploy([example("sqlite")], { tls: { secretName: "tape-tls" } }, given);
    await expect(server.probe("/readyz", "HTTP")).rejects.toThrow("socket hang up");
    server.terminate();
    await expect(server.ended).resolves.toMatchObject({ code: 0 });
  });
});

describePostgres("a server started as in the pod, on PostgreSQL", () => {
  it("with its URL from a Secret", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const given = { ...secrets, "tape-store": { url: schema.url } };
    await expect(useAndStop(await deploy([example("postgres")], {}, given))).resolves.toMatchObject({ code: 0 });
  });

  it("that the Auth Proxy leads to", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const url = schema.url.replace(/^postgres(?:ql)?:/, "alloydb:");
    await expect(useAndStop(await deploy([example("alloydb")], { store: { url } }, secrets))).resolves.toMatchObject({
      code: 0,
    });
  });
});

describeBigtable("a server started as in the pod, on Bigtable", (host) => {
  it("with its URL in the values", async () => {
    const url = `bigtable://my-project/my-instance/chart${process.pid}?emulator=${host}`;
    await expect(
      useAndStop(await deploy([example("bigtable")], { store: { url, migrate: true } }, secrets)),
    ).resolves.toMatchObject({ code: 0 });
  });
});
