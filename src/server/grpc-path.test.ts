import { once } from "node:events";
import { connect } from "node:http2";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { GrpcCaller } from "../../test/server/grpc-caller.ts";
import { serveDouble, type ServedDouble } from "../../test/server/server-fixture.ts";
import { TapeError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Tape } from "../model/tape.ts";
import type { ServerConfig } from "./config.ts";

let served: ServedDouble;
let caller: GrpcCaller;

async function start(calls: Partial<Tape>, config: Partial<ServerConfig> = {}): Promise<void> {
  served = await serveDouble(calls, config);
  caller = new GrpcCaller(served.server.address);
}

afterEach(async () => {
  caller.close();
  await served.server.close(0);
});

const effect = { seq: 4, idempotencyKey: "k", status: "PENDING", responseJson: "", errorJson: "" } as const;

describe("plain gRPC, unary", () => {
  it("carries request, response and metadata both ways", async () => {
    const seen: CallOptions[] = [];
    await start({
      beginEffect(request, options = {}) {
        seen.push(options);
        return Promise.resolve({ ...effect, idempotencyKey: request.toolName, diverged: true });
      },
    });
    const answer = await caller.unary(
      "beginEffect",
      { runId: "run_1", toolName: "wire-€" },
      {
        "tape-lease-epoch": "3",
        "tape-request-id": "req 1",
        "tape-strict": "1",
        "tape-gate-occurrence": "2",
        "tape-claimer": "worker-1",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      },
    );
    expect(answer.response).toEqual({ ...effect, idempotencyKey: "wire-€" });
    expect(answer.metadata).toMatchObject({ "tape-divergence": "1" });
    expect(seen).toEqual([
      {
        leaseEpoch: 3,
        requestId: "req 1",
        strict: true,
        gateOccurrence: 2,
        claimer: "worker-1",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        timeoutMs: undefined,
      },
    ]);
  });

  it("says the epoch of a lease, and none where there is none", async () => {
    const run = { runId: "run_1", resumed: false, nextSeq: 2, status: "RUNNING" } as const;
    let leaseEpoch = 5;
    await start({ beginRun: () => Promise.resolve({ ...run, leaseEpoch }) });
    const leased = await caller.unary("beginRun", { appName: "a", invocationId: "i" });
    expect(leased.metadata["tape-lease-epoch"]).toBe("5");
    leaseEpoch = 0;
    const free = await caller.unary("beginRun", { appName: "a", invocationId: "i" });
    expect(free.metadata["tape-lease-epoch"]).toBeUndefined();
  });

  it("carries status, reason, ids and message of an error, never its cause", async () => {
    await start({
      beginEffect: () =>
        Promise.reject(
          new TapeError("LEASE_HELD", "die Lease hält 100 % „bob“", {
            ids: { holder: "bob" },
            cause: new Error("secret"),
          }),
        ),
    });
    await expect(caller.unary("beginEffect", { runId: "r", toolName: "t" })).rejects.toEqual({
      code: status.ABORTED,
      message: "die Lease hält 100 % „bob“",
      reason: "LEASE_HELD",
      domain: "tape",
      ids: { holder: "bob" },
    });
  });

  it("hides what is unexpected behind an error id that the log knows", async () => {
    await start({ beginEffect: () => Promise.reject(new Error("password=hunter2")) });
    const failure = await caller.unary("beginEffect", { runId: "r", toolName: "t" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: status.INTERNAL, reason: "INTERNAL" });
    expect(JSON.stringify(failure)).not.toContain("hunter2");
    const line = served.log.find((entry) => entry["errorId"] !== undefined);
    expect(failure).toMatchObject({ ids: { error_id: line?.["errorId"] } });
    expect(JSON.stringify(line?.["err"])).toContain("hunter2");
  });

  it("answers UNIMPLEMENTED for what is still to come", async () => {
    await start({});
    await expect(caller.unary("claimTasks", { reactionId: "r" })).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      reason: "UNIMPLEMENTED",
    });
  });

  it.each([
    ["tape-lease-epoch", "-1", "ARGUMENT_INVALID"],
    ["tape-lease-epoch", "9007199254740993", "ARGUMENT_INVALID"],
    ["tape-request-id", "x".repeat(129), "SIZE_LIMIT"],
    ["tape-strict", "yes", "ARGUMENT_INVALID"],
    ["tape-gate-occurrence", "0", "ARGUMENT_INVALID"],
    ["tape-claimer", "x".repeat(513), "SIZE_LIMIT"],
  ])("refuses the header %s: %s", async (name, value, reason) => {
    let calls = 0;
    await start({ beginEffect: () => (calls++, Promise.resolve({ ...effect, diverged: false })) });
    await expect(caller.unary("beginEffect", { runId: "r", toolName: "t" }, { [name]: value })).rejects.toMatchObject({
      reason,
      ids: { field: name },
    });
    expect(calls).toBe(0);
  });

  it("takes a malformed traceparent for none", async () => {
    const seen: CallOptions[] = [];
    await start({
      beginEffect: (_request, options = {}) => (seen.push(options), Promise.resolve({ ...effect, diverged: false })),
    });
    await caller.unary(
      "beginEffect",
      { runId: "r", toolName: "t" },
      { traceparent: "00-00000000000000000000000000000000-1-1" },
    );
    expect(seen[0]?.traceparent).toBeUndefined();
  });

  it("carries a message of several frames and refuses one that is too large before it has come", async () => {
    const seen: number[] = [];
    await start({
      beginEffect: (request) => (
        seen.push(request.requestJson?.length ?? 0),
        Promise.resolve({ ...effect, diverged: false })
      ),
    });
    await caller.unary("beginEffect", { runId: "r", toolName: "t", requestJson: "x".repeat(1_000_000) });
    expect(seen).toEqual([1_000_000]);
    const large = caller.unary("beginEffect", { runId: "r", toolName: "t", requestJson: "x".repeat(1_100_000) });
    await expect(large).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: "SIZE_LIMIT",
      ids: { limit: "1048576" },
    });
    expect(seen).toHaveLength(1);
    await caller.unary("beginEffect", { runId: "r", toolName: "t" });
    expect(seen).toHaveLength(2);
  });

  it("refuses more bytes than were announced when they come, not when they end", async () => {
    await start({});
    const session = connect(served.url);
    const stream = session.request(grpcHeaders("BeginEffect"));
    stream.on("error", () => {});
    stream.write(Buffer.from([0, 0, 0, 0, 1, 8]));
    stream.write(Buffer.alloc(1));
    const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(answer).toMatchObject({ "grpc-status": String(status.INVALID_ARGUMENT) });
    session.destroy();
  });

  it("gives the engine the caller's deadline, and none that is further away than timers reach", async () => {
    const seen: (number | undefined)[] = [];
    await start({
      beginEffect(_request, options) {
        seen.push(options?.timeoutMs);
        return Promise.reject(new TapeError("DEADLINE_EXCEEDED", "too late"));
      },
    });
    const response = await rawCall(served, { "grpc-timeout": "20m" });
    expect(response["grpc-status"]).toBe(String(status.DEADLINE_EXCEEDED));
    await rawCall(served, { "grpc-timeout": "3S" });
    await rawCall(served, { "grpc-timeout": "99999999H" });
    expect(seen).toEqual([20, 3000, undefined]);
  });

  it.each(["1", "m", "123456789m", "1x"])("refuses grpc-timeout %s", async (timeout) => {
    await start({});
    expect((await rawCall(served, { "grpc-timeout": timeout }))["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
  });

  it.each([
    ["no message", Buffer.alloc(0)],
    ["half a prefix", Buffer.from([0, 0, 0])],
    ["less than announced", Buffer.from([0, 0, 0, 0, 9, 1])],
    ["more than announced", Buffer.from([0, 0, 0, 0, 0, 1])],
    ["two messages", Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ["a compressed message without an encoding", Buffer.from([1, 0, 0, 0, 0])],
    ["bytes that are no message", Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff])],
  ])("refuses a body of %s", async (_what, body) => {
    await start({});
    const response = await rawCall(served, {}, body);
    expect(response["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
    expect(response["grpc-status-details-bin"]).toBeDefined();
  });

  it("takes compressed messages, by the other path", async () => {
    await start({
      beginEffect: (request) => Promise.resolve({ ...effect, idempotencyKey: request.toolName, diverged: false }),
    });
    const gzip = new GrpcCaller(served.server.address, undefined, { "grpc.default_compression_algorithm": 2 });
    const { response } = await gzip.unary("beginEffect", { runId: "r", toolName: "t".repeat(5000) });
    expect(response.idempotencyKey).toHaveLength(5000);
    gzip.close();
  });

  it("refuses early when too many calls are under way, and serves again after", async () => {
    const release: (() => void)[] = [];
    await start(
      { beginEffect: () => new Promise((resolve) => release.push(() => resolve({ ...effect, diverged: false }))) },
      { maxPending: 2 },
    );
    const calls = [1, 2].map(() => caller.unary("beginEffect", { runId: "r", toolName: "t" }));
    await expect.poll(() => release.length).toBe(2);
    await expect(caller.unary("beginEffect", { runId: "r", toolName: "t" })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: "OVERLOADED",
    });
    release.forEach((go) => go());
    await Promise.all(calls);
    const next = caller.unary("beginEffect", { runId: "r", toolName: "t" });
    await expect.poll(() => release.length).toBe(3);
    release[2]?.();
    await next;
  });

  it("counts no call that has failed as one under way", async () => {
    const fails = (): Promise<never> => Promise.reject(new TapeError("RUN_NOT_FOUND", "no such run"));
    await start({ beginEffect: fails }, { maxPending: 2 });
    for (let n = 0; n < 5; n += 1) {
      const call = caller.unary("beginEffect", { runId: "r", toolName: "t" });
      await expect(call).rejects.toMatchObject({ reason: "RUN_NOT_FOUND" });
    }
  });

  it("goes on serving a connection whose calls are reset in the middle", async () => {
    let calls = 0;
    await start({ beginEffect: () => (calls++, Promise.resolve({ ...effect, diverged: false })) });
    const session = connect(served.url);
    for (let i = 0; i < 20; i++) {
      const stream = session.request(grpcHeaders("BeginEffect"));
      stream.on("error", () => {});
      stream.write(Buffer.from([0, 0, 0, 0, 9]));
      stream.close(8);
    }
    await caller.unary("beginEffect", { runId: "r", toolName: "t" });
    expect(calls).toBe(1);
    session.destroy();
  });
});

function grpcHeaders(rpc: string): Record<string, string> {
  return { ":method": "POST", ":path": `/tape.v1.Tape/${rpc}`, "content-type": "application/grpc", te: "trailers" };
}

/** Headers and trailers of BeginEffect with a body of our own. */
async function rawCall(
  { url }: ServedDouble,
  headers: Record<string, string>,
  body: Buffer = Buffer.from([0, 0, 0, 0, 0]),
): Promise<Record<string, unknown>> {
  const session = connect(url);
  try {
    const stream = session.request({ ...grpcHeaders("BeginEffect"), ...headers });
    let all: Record<string, unknown> = {};
    const receive = (received: object): void => {
      all = { ...all, ...received };
    };
    stream.on("response", receive).on("trailers", receive);
    stream.resume().end(body);
    await once(stream, "close");
    return all;
  } finally {
    session.destroy();
  }
}
