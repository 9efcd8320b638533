import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { pino, type Logger } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { GrpcCaller } from "../../test/server/grpc-caller.ts";
import { testConfig } from "../../test/server/test-config.ts";
import { serve, type ServeOptions, type Service } from "./serve.ts";
import type { ServerConfig } from "./config.ts";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const log: string[] = [];
const logger: Logger = pino({ level: "debug", base: null }, { write: (line) => void log.push(line) });

async function start(config: Partial<ServerConfig> = {}, options: ServeOptions = {}): Promise<Service> {
  log.length = 0;
  const service = await serve({ ...testConfig, ...config }, { logger, ...options });
  cleanUps.push(() => service.stop());
  return service;
}

function callerOf(service: Service): GrpcCaller {
  const caller = new GrpcCaller(`127.0.0.1:${service.port}`);
  cleanUps.push(() => caller.close());
  return caller;
}

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "tape-serve-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  return join(folder, "tape.db");
}

const run = { appName: "treasury", userId: "u", sessionId: "s", invocationId: "i1", leaseOwner: "me" };

describe("a service", () => {
  it("journals a run over gRPC and JSON, with fencing, limits and errors of the rules", async () => {
    const service = await start();
    const caller = callerOf(service);
    const begun = await caller.unary("beginRun", run);
    const epoch = String(begun.metadata["tape-lease-epoch"]);
    expect(begun.response).toMatchObject({ resumed: false, status: "RUNNING" });
    const { runId } = begun.response;
    const effect = { runId, toolName: "wire", requestJson: `{"usd":1}` };
    const first = await caller.unary("beginEffect", effect, { "tape-lease-epoch": epoch });
    const again = await caller.unary("beginEffect", { ...effect, requestJson: "{}" });
    expect(again.response).toEqual(first.response);
    expect([first.metadata["tape-divergence"], again.metadata["tape-divergence"]]).toEqual([undefined, "1"]);
    await expect(
      caller.unary("beginEffect", { ...effect, requestJson: "{}" }, { "tape-strict": "1" }),
    ).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: "DIVERGENCE",
    });
    const stale = String(Number(epoch) - 1);
    await expect(caller.unary("setBudget", { runId, usdCap: 1 }, { "tape-lease-epoch": stale })).rejects.toMatchObject({
      code: status.ABORTED,
      reason: "EPOCH_STALE",
    });
    await expect(caller.unary("compactRun", { runId })).rejects.toMatchObject({ reason: "TRANSITION_NOT_ALLOWED" });
    const json = await fetch(`http://127.0.0.1:${service.port}/tape.v1.Tape/GetRun`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ runId }),
    });
    expect(await json.json()).toMatchObject({
      runId,
      appName: "treasury",
      status: "RUN_STATUS_RUNNING",
      seqCursor: "2",
    });
    expect(await (await fetch(`http://127.0.0.1:${service.port}/readyz`)).text()).toMatch(/^ready: the store answers/);
    expect(await (await fetch(`http://127.0.0.1:${service.port}/metrics`)).text()).toMatch(
      /^tape_engine_commits_total \d+$/m,
    );
  });

  it("pushes entries as they are committed, and ends the stream with the run", async () => {
    const caller = callerOf(await start());
    const { runId } = (await caller.unary("beginRun", run)).response;
    const entries = caller.stream("subscribeRun", { runId });
    expect((await entries.next()).value).toMatchObject({
      seq: 1,
      subject: expect.stringMatching(/^\/tape\/run\/running\//),
    });
    const second = entries.next();
    await caller.unary("endRun", { runId, status: "TERMINAL" });
    expect((await second).value).toMatchObject({ seq: 2, kind: "run" });
    expect((await entries.next()).done).toBe(true);
    const unknown = caller.stream("subscribeRun", { runId: "no-such-run" });
    await expect(unknown.next()).rejects.toMatchObject({ code: status.NOT_FOUND, reason: "RUN_NOT_FOUND" });
  });

  it("ends streams, drains and stops when its signal fires, and finds everything again", async () => {
    const store = `sqlite:${newFile()}`;
    const stopping = new AbortController();
    const service = await start({ store }, { signal: stopping.signal });
    const caller = callerOf(service);
    await caller.unary("beginRun", run);
    const events = caller.stream("subscribeEvents", {});
    await events.next();
    const cut = events.next();
    stopping.abort();
    await expect(cut).rejects.toMatchObject({ code: status.UNAVAILABLE, reason: "SHUTTING_DOWN" });
    await service.stopped;
    expect(log.at(-1)).toContain("stopped");
    const again = callerOf(await start({ store }));
    expect((await again.unary("beginRun", run)).response.resumed).toBe(true);
  });

  it("keeps tenants apart, by their tokens", async () => {
    const credentials = ["acme", "globex"].map((tenant) => ({ token: `token-of-${tenant}-0001`, tenant }));
    const caller = callerOf(await start({ auth: "token", credentials }));
    const [acme, globex] = credentials.map(({ token }) => ({ authorization: `Bearer ${token}` }));
    const { runId } = (await caller.unary("beginRun", run, acme)).response;
    expect((await caller.unary("getRun", { runId }, acme)).response.tenantId).toBe("acme");
    await expect(caller.unary("getRun", { runId }, globex)).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(caller.unary("beginRun", { ...run, tenantId: "acme" }, globex)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: "TENANT_NOT_GRANTED",
    });
  });

  it("makes nothing when the port is taken", async () => {
    const { port } = await start();
    const file = newFile();
    const second = serve({ ...testConfig, store: `sqlite:${file}`, listen: { host: "127.0.0.1", port } }, { logger });
    await expect(second).rejects.toMatchObject({ reason: "CONFIG_INVALID" });
    expect(existsSync(file)).toBe(false);
  });

  it("leaves the port free when the store cannot be had", async () => {
    const { port } = await start();
    await cleanUps.pop()?.();
    const listen = { host: "127.0.0.1", port };
    const broken = serve({ ...testConfig, listen, store: "sqlite:/nowhere/at/all/tape.db" }, { logger });
    await expect(broken).rejects.toMatchObject({ reason: "STORE_NOT_USABLE" });
    await expect(serve({ ...testConfig, listen, store: "oracle:x" }, { logger })).rejects.toMatchObject({
      reason: "STORE_URL_INVALID",
    });
    expect((await start({ listen })).port).toBe(port);
  });

  it("does not make or change a store unless it may", async () => {
    const file = newFile();
    const forbidden = serve({ ...testConfig, store: `sqlite:${file}`, migrate: false }, { logger });
    await expect(forbidden).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(existsSync(file)).toBe(false);
  });
});
