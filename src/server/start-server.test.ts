import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { credentials, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { GrpcCaller } from "../../test/server/grpc-caller.ts";
import { serveDouble, type ServedDouble } from "../../test/server/server-fixture.ts";
import { testConfig } from "../../test/server/test-config.ts";
import { TapeError } from "../errors.ts";
import type { Tape } from "../model/tape.ts";
import { openPort } from "./start-server.ts";
import type { ServerConfig } from "./config.ts";
import { eventually } from "../../test/eventually.ts";

let served: ServedDouble;
const callers: GrpcCaller[] = [];

async function start(calls: Partial<Tape>, config: Partial<ServerConfig> = {}): Promise<void> {
  served = await serveDouble(calls, config);
}

function newCaller(
  ...more: ConstructorParameters<typeof GrpcCaller> extends [string, ...infer Rest] ? Rest : never
): GrpcCaller {
  const caller = new GrpcCaller(served.server.address, ...more);
  callers.push(caller);
  return caller;
}

afterEach(async () => {
  for (const caller of callers.splice(0)) caller.close();
  await served.server.close(0);
});

const tokens = {
  auth: "token",
  credentials: [
    { token: "token-of-acme-01", tenant: "acme" },
    { token: "token-of-nobody1", tenant: null },
  ],
} as const;
const run = { run: { runId: "r" } };

describe("authentication by token", () => {
  it.each([
    ["no credential", undefined, "CREDENTIALS_MISSING"],
    ["another scheme", "Basic dG9rZW4tb2YtYWNtZS0wMQ==", "CREDENTIALS_INVALID"],
    ["an unknown token", "Bearer token-of-acme-02", "CREDENTIALS_INVALID"],
    ["a longer token", "Bearer token-of-acme-011", "CREDENTIALS_INVALID"],
    ["no token", "Bearer", "CREDENTIALS_INVALID"],
  ])("refuses %s on both paths, before any work", async (_what, authorization, reason) => {
    await start({}, tokens);
    const headers = authorization === undefined ? {} : { authorization };
    const grpc = newCaller().unary("getRun", { runId: "r" }, headers);
    await expect(grpc).rejects.toMatchObject({ code: status.UNAUTHENTICATED, reason });
    const json = await fetch(`${served.url}/tape.v1.Tape/GetRun`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: `{"runId":"r"}`,
    });
    expect([json.status, await json.json()]).toMatchObject([401, { code: "unauthenticated" }]);
    expect(served.accesses).toEqual([]);
  });

  it("gives each token its own tenant, and never logs it", async () => {
    await start({}, tokens);
    const caller = newCaller();
    for (const token of ["token-of-acme-01", "token-of-nobody1"]) {
      await caller.unary("getRun", run.run, { authorization: `bearer ${token}` }).catch(() => {});
    }
    expect(served.accesses).toEqual([
      { partition: "acme", tenant: "acme" },
      { partition: "", tenant: null },
    ]);
    expect(JSON.stringify(served.log)).not.toContain("token-of");
  });

  it("leaves health, reflection and probes open, and metrics on loopback", async () => {
    await start({}, tokens);
    for (const page of ["healthz", "readyz", "metrics"])
      expect((await fetch(`${served.url}/${page}`)).status).toBe(200);
    expect(await health()).toEqual({ status: "SERVING" });
  });

  it("shows metrics to the world only for a token", async () => {
    await start({}, { ...tokens, listen: { host: "0.0.0.0", port: 0 } });
    const url = `http://127.0.0.1:${served.server.port}/metrics`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { authorization: "Bearer token-of-nobody1" } })).status).toBe(200);
  });
});

describe("probes", () => {
  it("tells whether the store answers, and what is wrong", async () => {
    await start({});
    const ready = await fetch(`${served.url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([200, "ready: the store answers in 0.5 ms\n"]);
    served.ping.mockRejectedValue(
      new TapeError("STORE_UNAVAILABLE", "the disk is gone", { cause: new Error("secret") }),
    );
    const gone = await fetch(`${served.url}/readyz`);
    expect([gone.status, await gone.text()]).toEqual([503, "not ready: STORE_UNAVAILABLE: the disk is gone\n"]);
    expect(await health()).toEqual({ status: "NOT_SERVING" });
    served.ping.mockRejectedValue(new Error("password=hunter2"));
    expect(await (await fetch(`${served.url}/readyz`)).text()).toBe("not ready: the store cannot be asked\n");
    expect((await fetch(`${served.url}/healthz`)).status).toBe(200);
  });

  it("counts calls by method and code", async () => {
    await start({ getRun: () => Promise.reject(new TapeError("RUN_NOT_FOUND", "none")) });
    await newCaller()
      .unary("getRun", { runId: "r" })
      .catch(() => {});
    await fetch(`${served.url}/tape.v1.Tape/GetRun`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const text = await (await fetch(`${served.url}/metrics`)).text();
    expect(text).toMatch(/^tape_rpc_duration_seconds_count{method="GetRun",code="NOT_FOUND"} 2$/m);
    expect(text).toMatch(/^tape_rpc_duration_seconds_bucket{method="GetRun",code="NOT_FOUND",le="\+Inf"} 2$/m);
    expect(text).toMatch(/^tape_engine_commits_total 7$/m);
    expect(text).toMatch(/^tape_engine_cache_bytes 1024$/m);
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+({[a-z]+="[^"]*"(,[a-z]+="[^"]*")*})? [-+.e0-9A-Za-z]+)$/,
      );
    }
  });

  it("answers GET and HEAD only", async () => {
    await start({});
    expect((await fetch(`${served.url}/healthz`, { method: "POST", body: "x" })).status).toBe(405);
    const head = await fetch(`${served.url}/healthz`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
});

describe("log", () => {
  it("has RPC, code, run, duration and trace of each call, and no payload", async () => {
    const begun = { runId: "run_7", resumed: false, nextSeq: 2, status: "RUNNING", leaseEpoch: 1 } as const;
    await start({
      beginRun: () => Promise.resolve(begun),
      sendSignal: () => Promise.reject(new TapeError("RUN_ENDED", "over")),
    });
    const caller = newCaller();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await caller.unary("beginRun", { appName: "a", invocationId: "secret-invocation" }, { traceparent });
    const signal = { runId: "run_7", gateName: "g", resolutionJson: `"secret-payload"` };
    await caller.unary("sendSignal", signal).catch(() => {});
    expect(served.log.filter(({ rpc }) => rpc !== undefined)).toEqual([
      {
        level: 20,
        time: expect.anything(),
        rpc: "BeginRun",
        code: "OK",
        ms: expect.any(Number),
        runId: "run_7",
        trace: "0af7651916cd43dd8448eb211c80319c",
        msg: "call",
      },
      {
        level: 30,
        time: expect.anything(),
        rpc: "SendSignal",
        code: "FAILED_PRECONDITION",
        reason: "RUN_ENDED",
        ms: expect.any(Number),
        runId: "run_7",
        msg: "over",
      },
    ]);
    expect(JSON.stringify(served.log)).not.toContain("secret");
  });
});

describe("TLS", () => {
  const folder = join(import.meta.dirname, "../../test/server/tls");
  const certFile = join(folder, "cert.pem");
  const tls = { certFile, keyFile: join(folder, "key.pem") };

  it("speaks HTTP/2 and HTTP/1.1 by ALPN", async () => {
    await start({ getRun: () => Promise.reject(new TapeError("RUN_NOT_FOUND", "none")) }, { tls });
    const ca = readFileSync(certFile);
    await expect(newCaller(credentials.createSsl(ca)).unary("getRun", { runId: "r" })).rejects.toMatchObject({
      reason: "RUN_NOT_FOUND",
    });
    const code = await new Promise((resolve, reject) => {
      httpsRequest({ host: "127.0.0.1", port: served.server.port, path: "/healthz", ca }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(code).toBe(200);
    await expect(fetch(`${served.url}/healthz`)).rejects.toThrow("fetch failed");
  });

  it.each([
    [
      "a certificate file that is not there",
      { certFile: "/nowhere/cert.pem", keyFile: tls.keyFile },
      "/nowhere/cert.pem",
    ],
    ["a key file that is not there", { certFile, keyFile: "/nowhere/key.pem" }, "/nowhere/key.pem"],
    ["a certificate that is none", { certFile: tls.keyFile, keyFile: tls.keyFile }, tls.keyFile],
    ["a key that is none", { certFile, keyFile: certFile }, certFile],
    ["a key of another certificate", { certFile, keyFile: join(folder, "other-key.pem") }, "other-key.pem"],
  ])("names the file: %s", async (_what, files, name) => {
    await start({});
    expect(() => openPort({ ...testConfig, tls: files })).toThrowError(
      expect.objectContaining({ reason: "CONFIG_INVALID", message: expect.stringContaining(name) }),
    );
  });
});

describe("a graceful stop", () => {
  it("answers calls under way, refuses new ones, says that it is not ready", async () => {
    const answers: (() => void)[] = [];
    await start({
      getRun: () =>
        new Promise((_resolve, reject) => answers.push(() => reject(new TapeError("RUN_NOT_FOUND", "none")))),
    });
    const caller = newCaller();
    const overHttp1 = fetch(`${served.url}/tape.v1.Tape/GetRun`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const underWay = caller.unary("getRun", { runId: "r" });
    const session = connectHttp2(served.url);
    const late = session.request({
      ":method": "POST",
      ":path": "/tape.v1.Tape/GetRun",
      "content-type": "application/grpc",
    });
    const trailers = new Promise((resolve) => late.on("response", resolve));
    await expect.poll(() => answers.length).toBe(2);
    await fetch(`${served.url}/healthz`);
    const closed = served.server.close();
    late.end(Buffer.from([0, 0, 0, 0, 0]));
    expect(await trailers).toMatchObject({ "grpc-status": String(status.UNAVAILABLE) });
    const [refused] = await once(connect(served.server.port, "127.0.0.1"), "error");
    expect(refused.code).toBe("ECONNREFUSED");
    for (const answer of answers) answer();
    await expect(underWay).rejects.toMatchObject({ reason: "RUN_NOT_FOUND" });
    expect((await overHttp1).status).toBe(404);
    await closed;
    session.destroy();
  });

  it("cuts off what is not done in time", async () => {
    await start({ getRun: () => new Promise(() => {}) });
    const caller = newCaller();
    const call = caller.unary("getRun", { runId: "r" });
    call.catch(() => {});
    await eventually(() => expect(served.accesses).toHaveLength(1));
    await served.server.close(10);
    await expect(call).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it("may be asked for twice", async () => {
    await start({});
    expect(served.server.close()).toBe(served.server.close());
    await served.server.close();
  });
});

async function health(): Promise<unknown> {
  const response = await fetch(`${served.url}/grpc.health.v1.Health/Check`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  return response.json();
}
