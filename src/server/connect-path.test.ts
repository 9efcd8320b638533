import { request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { serveDouble, type ServedDouble } from "../../test/server/server-fixture.ts";
import { TapeError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Tape } from "../model/tape.ts";
import { ErrorInfoSchema } from "../rpc/gen/google/rpc/error_details_pb.ts";
import { rpcMethods } from "../rpc/rpc-methods.ts";
import type { ServerConfig } from "./config.ts";

let served: ServedDouble;

async function start(calls: Partial<Tape>, config: Partial<ServerConfig> = {}): Promise<void> {
  served = await serveDouble(calls, config);
}

afterEach(() => served.server.close(0));

const event = {
  runId: "r",
  seq: 1,
  kind: "run",
  payloadJson: "{}",
  tsMs: 1,
  globalSeq: 7,
  subject: "/tape/run/running/a/u/s/r",
  schemaVersion: 1,
  traceId: "",
  spanId: "",
  parentSpanId: "",
};
const begun = { runId: "run_1", resumed: false, nextSeq: 2, status: "RUNNING", leaseEpoch: 9 } as const;

function post(rpc: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${served.url}/tape.v1.Tape/${rpc}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

/** The error of an answer in Connect's unary protocol, with its detail read. */
async function failureOf(response: Response): Promise<object> {
  const { code, message, details } = JSON.parse(await response.text());
  const info = fromBinary(ErrorInfoSchema, Buffer.from(details[0].value, "base64"));
  return { status: response.status, code, message, reason: info.reason, domain: info.domain, ids: info.metadata };
}

describe("Connect, as curl speaks it", () => {
  it("takes and gives JSON, int64 as text, and metadata as headers", async () => {
    const seen: unknown[] = [];
    await start({
      beginRun: (request, options) => (seen.push(request.leaseTtlMs, options?.requestId), Promise.resolve(begun)),
    });
    const body = JSON.stringify({ appName: "a", invocation_id: "i", leaseTtlMs: "30000" });
    const response = await post("BeginRun", body, { "tape-request-id": "r1" });
    expect(response.status).toBe(200);
    expect(response.headers.get("tape-lease-epoch")).toBe("9");
    expect(await response.json()).toEqual({ runId: "run_1", nextSeq: "2", status: "RUN_STATUS_RUNNING" });
    expect(seen).toEqual([30_000, "r1"]);
  });

  it("takes and gives binary messages", async () => {
    await start({ beginRun: () => Promise.resolve(begun) });
    const message = rpcMethods.beginRun.request.encode({ appName: "a", invocationId: "i" });
    const response = await post("BeginRun", message, { "content-type": "application/proto" });
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(rpcMethods.beginRun.response.decode(bytes)).toMatchObject({ runId: "run_1", nextSeq: 2 });
  });

  it("R7 keeps a leading byte order mark: two names that differ by it are two", async () => {
    const seen: string[] = [];
    await start({ beginRun: (request) => (seen.push(request.appName), Promise.resolve(begun)) });
    const message = rpcMethods.beginRun.request.encode({ appName: "\uFEFFa", invocationId: "i" });
    await post("BeginRun", message, { "content-type": "application/proto" });
    expect(seen).toEqual(["\uFEFFa"]);
  });

  it("says an error with its reason and ids", async () => {
    await start({ getRun: () => Promise.reject(new TapeError("RUN_NOT_FOUND", "no run r", { ids: { run_id: "r" } })) });
    expect(await failureOf(await post("GetRun", `{"runId":"r"}`))).toEqual({
      status: 404,
      code: "not_found",
      message: "no run r",
      reason: "RUN_NOT_FOUND",
      domain: "tape",
      ids: { run_id: "r" },
    });
  });

  it.each([
    ["not JSON", "{", {}],
    ["a value of another type", `{"appName":1}`, {}],
    ["an integer beyond 2^53", `{"appName":"a","invocationId":"i","leaseTtlMs":"9007199254740993"}`, {}],
    ["an unknown enum value", `{"runId":"r","status":99}`, {}],
    ["bytes that are no message", "\xff\xff", { "content-type": "application/proto" }],
    ["a malformed deadline", "{}", { "connect-timeout-ms": "soon" }],
    ["bytes that are not gzip", "{}", { "content-encoding": "gzip" }],
  ])("refuses %s as INVALID_ARGUMENT with a reason", async (what, body, headers) => {
    let calls = 0;
    await start({
      beginRun: () => (calls++, Promise.resolve(begun)),
      endRun: () => (calls++, Promise.reject(new Error())),
    });
    const response = await post(what.includes("enum") ? "EndRun" : "BeginRun", body, headers);
    expect(await failureOf(response)).toMatchObject({ status: 400, reason: "ARGUMENT_INVALID", domain: "tape" });
    expect(calls).toBe(0);
    // The client may have its answer a moment before the server has closed the exchange and noted it.
    await expect
      .poll(() => served.log.find(({ rpc }) => rpc !== undefined))
      .toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("refuses messages that are too large, also those that are only so when unpacked", async () => {
    await start({ beginRun: () => Promise.resolve(begun) });
    const large = JSON.stringify({ appName: "x".repeat(2 ** 20) });
    const packed = gzipSync(JSON.stringify({ appName: "x".repeat(2 ** 24) }));
    expect(packed.length).toBeLessThan(2 ** 20);
    expect(await failureOf(await post("BeginRun", large))).toMatchObject({ reason: "SIZE_LIMIT" });
    expect(await failureOf(await post("BeginRun", packed, { "content-encoding": "gzip" }))).toMatchObject({
      status: 429,
      reason: "SIZE_LIMIT",
    });
    expect((await post("BeginRun", `{}`)).status).toBe(200);
  });

  it("gives back the memory of requests that it refuses", async () => {
    await start({ beginRun: () => Promise.resolve(begun) });
    for (let i = 0; i < 20; i++)
      await (await post("BeginRun", JSON.stringify({ appName: "x".repeat(2 ** 20) }))).text();
    await expect
      .poll(
        async () => /^tape_rpc_buffered_bytes (\d+)$/m.exec(await (await fetch(`${served.url}/metrics`)).text())?.[1],
      )
      .toBe("0");
  });

  it("refuses before it reads the body", async () => {
    await start({ beginRun: () => Promise.resolve(begun) });
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${served.url}/tape.v1.Tape/BeginRun`, {
        method: "POST",
        headers: { "content-type": "application/json", "tape-strict": "?" },
      });
      request.on("response", (response) => resolve(response.statusCode)).on("error", reject);
      // The body never ends.
      request.write("{");
    });
    expect(status).toBe(400);
  });

  it("ends at the caller's deadline", async () => {
    let options: CallOptions | undefined;
    await start({
      getRun(_request, given) {
        options = given;
        return new Promise((_resolve, reject) => {
          given?.signal?.addEventListener("abort", () => reject(new TapeError("CANCELLED", "aborted")));
        });
      },
    });
    const response = await post("GetRun", `{"runId":"r"}`, { "connect-timeout-ms": "20" });
    expect(await failureOf(response)).toMatchObject({ status: 504, reason: "DEADLINE_EXCEEDED" });
    expect(options?.signal?.aborted).toBe(true);
  });

  it("streams, with tape-gap in the headers", async () => {
    const value = { namespace: "n", key: "k", valueJson: "1", version: 7, tsMs: 1, writer: "", deleted: false };
    await start({
      async *watchValue() {
        yield { value, prevVersion: 6, prevValueJson: "0", gap: true };
        throw new TapeError("STORE_UNAVAILABLE", "the disk is gone");
      },
    });
    const response = await post("WatchValue", envelope(`{"namespace":"n","key":"k"}`), {
      "content-type": "application/connect+json",
    });
    expect(response.headers.get("tape-gap")).toBe("1");
    const [item, end] = envelopes(Buffer.from(await response.arrayBuffer()));
    expect(JSON.parse(String(item?.data))).toMatchObject({ value: { version: "7" }, prevVersion: "6" });
    expect(end?.flags).toBe(2);
    expect(JSON.parse(String(end?.data))).toMatchObject({
      error: { code: "unavailable", message: "the disk is gone", details: [{ type: "google.rpc.ErrorInfo" }] },
    });
  });
});

describe("a stream in Connect", () => {
  it("ends with UNAVAILABLE when the server stops", async () => {
    await start({
      async *subscribeEvents(_request, options) {
        yield event;
        await new Promise((_resolve, reject) => options?.signal?.addEventListener("abort", () => reject(new Error())));
      },
    });
    const response = await post("SubscribeEvents", envelope("{}"), { "content-type": "application/connect+json" });
    const closed = served.server.close();
    const [item, end] = envelopes(Buffer.from(await response.arrayBuffer()));
    expect(JSON.parse(String(item?.data))).toMatchObject({ globalSeq: "7" });
    expect(JSON.parse(String(end?.data))).toMatchObject({
      error: { code: "unavailable", details: [{ debug: { reason: "SHUTTING_DOWN" } }] },
    });
    await closed;
  });
});

describe("gRPC-Web", () => {
  it("answers with trailers in the body", async () => {
    await start({ beginRun: () => Promise.resolve(begun) });
    const message = Buffer.from(rpcMethods.beginRun.request.encode({ appName: "a", invocationId: "i" }));
    const response = await post("BeginRun", envelope(message), { "content-type": "application/grpc-web+proto" });
    const [item, trailers] = envelopes(Buffer.from(await response.arrayBuffer()));
    expect(rpcMethods.beginRun.response.decode(item?.data ?? Buffer.alloc(0))).toMatchObject({ runId: "run_1" });
    expect(trailers?.flags).toBe(0x80);
    expect(String(trailers?.data)).toMatch(/grpc-status: 0/i);
    expect(response.headers.get("tape-lease-epoch")).toBe("9");
  });

  it("says an error with its details", async () => {
    await start({ beginRun: () => Promise.reject(new TapeError("LEASE_HELD", "held")) });
    const response = await post("BeginRun", envelope(""), { "content-type": "application/grpc-web+proto" });
    const [trailers] = envelopes(Buffer.from(await response.arrayBuffer()));
    expect(String(trailers?.data)).toMatch(/grpc-status: 10[^]*grpc-status-details-bin: \S+/i);
  });
});

describe("what nobody serves", () => {
  it("says so in the caller's protocol", async () => {
    await start({});
    const json = await fetch(`${served.url}/nothing/here`);
    expect(await failureOf(json)).toMatchObject({ status: 404, code: "unimplemented", reason: "UNIMPLEMENTED" });
    const grpc = await post("NoSuchRpc", "", { "content-type": "application/grpc" });
    expect([grpc.status, grpc.headers.get("grpc-status")]).toEqual([200, "12"]);
    const inspect = await fetch(`${served.url}/tape.v1.Inspect/ListRuns`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(await failureOf(inspect)).toMatchObject({ status: 501, reason: "UNIMPLEMENTED", domain: "tape" });
    expect((await fetch(`${served.url}/tape.v1.Tape/BeginRun`)).status).toBe(405);
    expect((await post("BeginRun", "", { "content-type": "text/plain" })).status).toBe(415);
  });
});

function envelope(data: string | Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(Buffer.byteLength(data), 1);
  return Buffer.concat([prefix, Buffer.from(data as string)]);
}

function envelopes(bytes: Buffer): { readonly flags: number; readonly data: Buffer }[] {
  const all: { flags: number; data: Buffer }[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    all.push({ flags: bytes.readUInt8(at), data: bytes.subarray(at + 5, end) });
    at = end;
  }
  return all;
}

it.each(["application/grpc-web+proto", "application/grpc-web+json"])(
  "a body of %s that cannot be read is the caller's fault, not internal",
  async (type) => {
    await start({});
    const response = await post("BeginRun", Uint8Array.of(0xff, 0, 0, 0, 0), { "content-type": type });
    expect(await response.text()).toMatch(/grpc-status: 3\r\n/);
  },
);
