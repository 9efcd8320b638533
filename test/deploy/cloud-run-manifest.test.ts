import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status, type ServiceError } from "@grpc/grpc-js";
import { Client } from "pg";
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../src/server/config.ts";
import { listSettings } from "../../src/server/settings.ts";
import { describeBigtable, describeSpanner } from "../emulators/shared-emulator.ts";
import { describePostgres } from "../postgres/shared-server.ts";
import { containerEnvironment, DeployedServer, type Surroundings } from "./deployed-server.ts";
import { deploymentOf, deployments, type Deployment } from "./service-manifests.ts";
import { eventually } from "../eventually.ts";

/* What the Terraform modules deploy is started here, with exactly the arguments, environment and probes that Cloud Run
   would be given. */

const folder = mkdtempSync(join(tmpdir(), "tape-manifest-"));
const token = "token-of-the-manifest-test";
const request = { app_name: "refunds", invocation_id: "order-17", lease_owner: "manifest-test" };
const withTokens = {
  secrets: { TAPE_TOKENS: token },
  changes: { TAPE_AUTH: "token", TAPE_AUTH_AUDIENCE: undefined, TAPE_AUTH_ALLOW: undefined },
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start({ server }: Deployment, surroundings: Surroundings): Promise<DeployedServer> {
  const deployed = await DeployedServer.start(server, surroundings);
  onTestFinished(() => deployed[Symbol.asyncDispose]());
  await deployed.started();
  return deployed;
}

/** Both probes over both protocols, a call that is refused and one that is not, and the end. */
async function observe(deployment: Deployment, surroundings: Surroundings): Promise<typeof asDeployed> {
  const { startup, liveness, env } = deployment.server;
  const server = await start(deployment, surroundings);
  const http1 = await Promise.all([startup, liveness].map((probe) => server.probe(probe)));
  const h2c = await Promise.all([startup, liveness].map((probe) => server.probeH2c(probe)));
  const stranger = await server.call("BeginRun", request).catch((error: ServiceError) => error.code);
  const { run_id: begun } = await server.call("BeginRun", request, token);
  const { run_id: found } = await server.call("GetRun", { run_id: begun }, token);
  const { code, ms, errors } = await server.stop();
  const exit = code === 0 ? "0" : `${code}: ${errors}`;
  return { http1, h2c, stranger, runFound: begun === found, exit, inTime: ms < Number(env["TAPE_GRACE_MS"]) };
}

const asDeployed = {
  http1: [200, 200],
  h2c: [200, 200],
  stranger: status.UNAUTHENTICATED as unknown,
  runFound: true,
  exit: "0",
  inTime: true,
};

const known = new Set([...listSettings().map(({ env }) => env), "TAPE_SPANNER_EXPERIMENTAL"]);

describe.each(deployments)("$example", (deployment) => {
  const { server, storeUrl } = deployment;
  let sqlite: string;

  beforeEach(() => {
    sqlite = `sqlite:${mkdtempSync(join(folder, "journal-"))}/tape.db`;
  });

  it("names settings that there are, with values that can be used", () => {
    expect([...Object.keys(server.env), ...server.secretEnv].filter((name) => !known.has(name))).toEqual([]);
    const env = containerEnvironment(server, { secrets: { TAPE_STORE: storeUrl } });
    const config = loadConfig({}, env, false);
    expect(config).toMatchObject({ listen: { host: "0.0.0.0", port: server.port }, auth: "google", store: storeUrl });
    // Cloud Run kills what still runs after ten seconds.
    expect(config.graceMs).toBeLessThan(10_000);
  });

  it("starts, answers its probes, takes calls and stops in time", async () => {
    const { secrets, changes } = withTokens;
    const surroundings = { secrets: { ...secrets, TAPE_STORE: sqlite }, changes };
    expect(await observe(deployment, surroundings)).toEqual(asDeployed);
  });

  it("refuses callers without a Google ID token, as deployed", async () => {
    const deployed = await start(deployment, { secrets: { TAPE_STORE: sqlite } });
    await expect(deployed.call("BeginRun", request)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await expect(deployed.call("BeginRun", request, token)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    expect((await deployed.stop()).code).toBe(0);
  });
});

it("the metrics that alerts and dashboard ask for are served to the sidecar", async () => {
  const { secrets, changes } = withTokens;
  const store = `sqlite:${mkdtempSync(join(folder, "journal-"))}/tape.db`;
  const deployment = deploymentOf("cloud-run-bigtable");
  const server = await start(deployment, { secrets: { ...secrets, TAPE_STORE: store }, changes });
  await server.call("BeginRun", request, token);
  // What needs an operator is measured in the background, for the first time at the start.
  await eventually(async () => {
    const text = await (await fetch(`http://127.0.0.1:${server.metricsPort}/metrics`)).text();
    const served = new Set([...text.matchAll(/^(\w+)(?:\{| )/gm)].map(([, name]) => name ?? ""));
    expect(askedFor().filter((name) => !served.has(name) && !served.has(`${name}_count`))).toEqual([]);
    expect(text).toMatch(/^tape_ready 1$/m);
  });
});

/** Names of metrics in the observability module; a name that is followed by `(`, as in a regular expression, is not whole. */
function askedFor(): string[] {
  const module = join(import.meta.dirname, "../../deploy/terraform/modules/observability");
  const text = readdirSync(module)
    .filter((file) => file.endsWith(".tf"))
    .map((file) => readFileSync(join(module, file), "utf8"))
    .join("\n")
    .replaceAll(/(\w+_)\(([\w|]+)\)(\w*)/g, (_, first: string, middles: string, end: string) =>
      middles
        .split("|")
        .map((middle) => `${first}${middle}${end}`)
        .join("|"),
    );
  const names = [...text.matchAll(/(?<![\w.])(?:tape|process|nodejs)_[a-z0-9_]+(?=[{/|\\"])/g)].map(([name]) => name);
  return [...new Set(names)].toSorted();
}

describePostgres("behind an Auth Proxy, which here is a PostgreSQL that trusts everyone", ({ directUrl }) => {
  const proxy = new URL(directUrl);

  async function execute(database: string, sql: string): Promise<void> {
    const url = new URL(proxy);
    url.pathname = `/${database}`;
    const client = new Client({ connectionString: url.href });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  // Both use the database and the role that the modules name.
  describe.sequential.each(["cloud-run-alloydb", "cloud-run-postgres"])("%s", (example) => {
    it("finds its database by the deployed URL, with no more rights than the setup gives", async () => {
      const deployment = deploymentOf(example);
      const url = new URL(deployment.storeUrl);
      const user = decodeURIComponent(url.username);
      onTestFinished(async () => {
        await execute("postgres", "drop database if exists tape with (force)");
        await execute("postgres", `drop role if exists "${user}"`);
      });
      await execute("postgres", `create role "${user}" login`);
      const [before = "", inside] = (deployment.setupSql ?? "").split(/^-- then, .*$/m);
      if (inside === undefined) await execute("postgres", "create database tape");
      for (const statement of inside === undefined ? [] : statementsOf(before)) await execute("postgres", statement);
      await execute("tape", inside ?? before);
      url.host = proxy.host;
      const { secrets, changes } = withTokens;
      const surroundings = { secrets: { ...secrets, TAPE_STORE: url.href }, changes };
      expect(await observe(deployment, surroundings)).toEqual(asDeployed);
    });
  });
});

/** `create database` stands alone. */
function statementsOf(sql: string): string[] {
  return sql.split(";").filter((statement) => statement.trim() !== "");
}

describeBigtable("beside Bigtable's emulator", (host) => {
  it("cloud-run-bigtable finds its table by the deployed URL", async () => {
    const deployment = deploymentOf("cloud-run-bigtable");
    const { secrets, changes } = withTokens;
    const surroundings = {
      secrets: { ...secrets, TAPE_STORE: deployment.storeUrl },
      changes: { ...changes, BIGTABLE_EMULATOR_HOST: host },
    };
    expect(await observe(deployment, surroundings)).toEqual(asDeployed);
  });
});

describeSpanner("beside Spanner's emulator", (host) => {
  it("cloud-run-spanner finds its database by the deployed URL", async () => {
    const deployment = deploymentOf("cloud-run-spanner");
    const { secrets, changes } = withTokens;
    const surroundings = {
      secrets: { ...secrets, TAPE_STORE: deployment.storeUrl },
      changes: { ...changes, SPANNER_EMULATOR_HOST: host },
    };
    expect(await observe(deployment, surroundings)).toEqual(asDeployed);
  });
});
