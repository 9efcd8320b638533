import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { ServerReflection } from "../../src/rpc/gen/grpc/reflection/v1/reflection_pb.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import { startServer } from "../../src/server/start-server.ts";
import { createStore } from "../../src/store/open-store.ts";
import { canary } from "../secrets.ts";
import { GrpcCaller } from "../server/grpc-caller.ts";
import { testConfig } from "../server/test-config.ts";
import { neverExisted } from "./belongings.ts";
import { settle, type Neighbourhood } from "./tenants.ts";

const tokenOf = (tenant: string): string => canary(`token-${tenant}`);

/** A server with a furnished tenant, and a caller of another one. */
async function served(
  config: Partial<ServerConfig> = {},
): Promise<Neighbourhood & { readonly url: string; readonly caller: GrpcCaller }> {
  const store = await createStore("memory:");
  await store.migrate({ dryRun: false });
  const place = await settle(store);
  const credentials = ["victim", "mallory"].map((tenant) => ({ tenant, token: tokenOf(tenant) }));
  const all: ServerConfig = { ...testConfig, auth: "token", credentials, ...config };
  const server = await startServer({ engine: place.engine, config: all, logger: pino({ level: "silent" }) });
  const caller = new GrpcCaller(`127.0.0.1:${server.port}`);
  onTestFinished(async () => {
    caller.close();
    await server.close(0);
    await place.engine.close();
    await store.close();
  });
  return { ...place, url: `http://127.0.0.1:${server.port}`, caller };
}

const mallory = { authorization: `Bearer ${tokenOf("mallory")}` };

it("what needs no credential says nothing of a tenant: no name, no id, no number of his own", async () => {
  const { url, caller, victim } = await served();
  await caller.unary("getRun", { runId: victim.runId }, { authorization: `Bearer ${tokenOf("victim")}` });
  const pages = await Promise.all(
    ["healthz", "readyz", "metrics"].map(async (page) => (await fetch(`${url}/${page}`)).text()),
  );
  const reflection = createClient(ServerReflection, createGrpcTransport({ baseUrl: url }));
  const answers: string[] = [];
  async function* question(): AsyncGenerator<{ messageRequest: { case: "listServices"; value: string } }> {
    yield { messageRequest: { case: "listServices", value: "" } };
  }
  for await (const answer of reflection.serverReflectionInfo(question()))
    answers.push(JSON.stringify(answer.messageResponse.value));
  const said = [...pages, ...answers].join("\n");
  expect(said).toMatch(/alive[^]*ready[^]*tape_connections[^]*tape\.v1\.Tape/);
  for (const name of Object.values(victim)) expect(said).not.toContain(name);
  expect(said).not.toMatch(/tenant="|partition="|run_id="|app="/);
});

it("metrics of a server that others reach need a credential, of whichever tenant, and have no labels but method and code", async () => {
  const { url, caller } = await served({ listen: { host: "0.0.0.0", port: 0 } });
  await caller.unary("listRuns", {}, mallory);
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  const page = await fetch(`${url}/metrics`, { headers: mallory });
  expect(page.status).toBe(200);
  const labels = Array.from((await page.text()).matchAll(/[{,](\w+)="/g), ([, label]) => label);
  expect(new Set(labels)).toEqual(new Set(["code", "le", "method"]));
});

it("DescribeStore counts the caller's own runs only", async () => {
  const { caller } = await served();
  const { response } = await caller.unary("describeStore", {}, mallory);
  expect(response.rowCounts).toEqual({ run: 0 });
});

it.each([
  "tape-tenant",
  "tenant-id",
  "x-tenant-id",
  "tape-partition",
  "x-forwarded-user",
  "x-goog-authenticated-user-email",
])("the header %s makes nobody somebody else", async (header) => {
  const { caller, victim } = await served();
  const headers = { ...mallory, [header]: "victim" };
  const nobody = neverExisted(victim);
  const failures = [];
  for (const { runId } of [victim, nobody]) {
    failures.push(await caller.unary("getRun", { runId }, headers).catch((error: unknown) => error));
  }
  expect(failures).toMatchObject([{ reason: "RUN_NOT_FOUND" }, { reason: "RUN_NOT_FOUND" }]);
  const { response } = await caller.unary("listRuns", {}, headers);
  expect(response.runs).toEqual([]);
});
