import { once } from "node:events";
import { connect } from "node:http2";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { GrpcCaller } from "../../test/server/grpc-caller.ts";
import { serveDouble, type ServedDouble } from "../../test/server/server-fixture.ts";
import { testConfig } from "../../test/server/test-config.ts";
import { TapeError } from "../errors.ts";
import type { WatchedValue } from "../model/call.ts";
import type { EventEntry } from "../model/feed.ts";
import type { Tape } from "../model/tape.ts";

const subscribeHeaders = {
  ":method": "POST",
  ":path": "/tape.v1.Tape/SubscribeEvents",
  "content-type": "application/grpc",
};

let served: ServedDouble;
let caller: GrpcCaller;

async function start(calls: Partial<Tape>): Promise<void> {
  served = await serveDouble(calls);
  caller = new GrpcCaller(served.server.address);
}

afterEach(async () => {
  caller.close();
  await served.server.close(0);
});

function event(globalSeq: number, payloadJson = "{}"): EventEntry {
  return {
    runId: "run_1",
    seq: globalSeq,
    kind: "run",
    payloadJson,
    tsMs: 1,
    globalSeq,
    subject: "/tape/run/running/a/u/s/run_1",
    schemaVersion: 1,
    traceId: "",
    spanId: "",
    parentSpanId: "",
  };
}

/** Waits as a stream of Tape does. */
function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}

describe("plain gRPC, streaming", () => {
  it("refuses one stream too many, and no call because of streams", async () => {
    await start({
      async *subscribeEvents(_request, options) {
        yield event(1);
        await untilAborted(options?.signal);
      },
      getRun: () => Promise.reject(new TapeError("RUN_NOT_FOUND", "none")),
    });
    const more = new GrpcCaller(served.server.address, undefined, { "grpc.use_local_subchannel_pool": 1 });
    const streams = Array.from({ length: testConfig.maxPending }, (_, index) =>
      (index % 2 === 0 ? caller : more).stream("subscribeEvents", {}),
    );
    await Promise.all(streams.map((stream) => stream.next()));
    await expect(caller.stream("subscribeEvents", {}).next()).rejects.toMatchObject({ reason: "OVERLOADED" });
    await expect(caller.unary("getRun", { runId: "r" })).rejects.toMatchObject({ reason: "RUN_NOT_FOUND" });
    await Promise.all(streams.map((stream) => stream.return()));
    more.close();
  });

  it("delivers every item in order and ends with OK", async () => {
    await start({
      async *subscribeEvents() {
        for (let i = 1; i <= 2000; i++) yield event(i);
      },
    });
    const seen: number[] = [];
    for await (const item of caller.stream("subscribeEvents", {})) seen.push(item.globalSeq);
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
  });

  it("says that it serves before there is anything to say", async () => {
    await start({
      async *subscribeEvents(_request, options) {
        await untilAborted(options?.signal);
        yield event(1);
      },
    });
    const session = connect(served.url);
    const stream = session.request(subscribeHeaders);
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
    const [headers] = await once(stream, "response");
    expect(headers[":status"]).toBe(200);
    session.destroy();
  });

  it("ends with the error of the stream, also behind items", async () => {
    await start({
      async *subscribeRun(request) {
        if (request.runId === "gone") throw new TapeError("RUN_NOT_FOUND", "no such run", { ids: { run_id: "gone" } });
        yield { ...event(1) };
        throw new TapeError("STORE_UNAVAILABLE", "the disk is gone");
      },
    });
    const gone = caller.stream("subscribeRun", { runId: "gone" }).next();
    await expect(gone).rejects.toMatchObject({
      code: status.NOT_FOUND,
      reason: "RUN_NOT_FOUND",
      ids: { run_id: "gone" },
    });
    const items = caller.stream("subscribeRun", { runId: "r" });
    expect((await items.next()).value).toMatchObject({ seq: 1 });
    await expect(items.next()).rejects.toMatchObject({ code: status.UNAVAILABLE, reason: "STORE_UNAVAILABLE" });
  });

  it("has tape-gap in the headers of a watch whose start is no longer kept", async () => {
    const value = { namespace: "n", key: "k", valueJson: "1", version: 7, tsMs: 1, writer: "", deleted: false };
    await start({
      async *watchValue(request) {
        const watched: WatchedValue = { value, prevVersion: 6, prevValueJson: "0", gap: request.fromVersion === 1 };
        yield watched;
      },
    });
    const seen: unknown[] = [];
    for (const fromVersion of [1, 6]) {
      const watch = caller.stream("watchValue", { namespace: "n", key: "k", fromVersion }, {}, (metadata) => {
        seen.push(metadata["tape-gap"]);
      });
      expect((await watch.next()).value).toMatchObject({ prevVersion: 6, value });
      await watch.return();
    }
    expect(seen).toEqual(["1", undefined]);
  });

  it("tells the engine at once when the caller leaves", async () => {
    let left: Promise<void> = Promise.resolve();
    await start({
      async *subscribeEvents(_request, options) {
        yield event(1);
        left = untilAborted(options?.signal);
        await left;
      },
    });
    const items = caller.stream("subscribeEvents", {});
    await items.next();
    await expect.poll(() => metric("tape_rpc_streams")).toBe(1);
    await items.return();
    await left;
    await expect.poll(() => metric("tape_rpc_streams")).toBe(0);
  });

  it("ends at the caller's deadline", async () => {
    await start({
      async *subscribeEvents(_request, options) {
        yield event(1);
        await untilAborted(options?.signal);
      },
    });
    const session = connect(served.url);
    const stream = session.request({ ...subscribeHeaders, "grpc-timeout": "50m" });
    stream.resume().end(Buffer.from([0, 0, 0, 0, 0]));
    const [trailers] = await once(stream, "trailers");
    expect(trailers["grpc-status"]).toBe(String(status.DEADLINE_EXCEEDED));
    session.destroy();
  });

  it("does not run ahead of a reader that is slow", async () => {
    const payload = JSON.stringify("x".repeat(64 * 1024));
    let produced = 0;
    await start({
      async *subscribeEvents() {
        while (produced < 1000) yield event(++produced, payload);
      },
    });
    const session = connect(served.url);
    const stream = session.request(subscribeHeaders);
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
    await once(stream, "response");
    // Two windows of HTTP/2 and the buffers on the way hold a few entries of 64 KiB; the rest is not even read.
    const held = await settled(() => produced);
    expect(held).toBeLessThan(100);
    let bytes = 0;
    for await (const chunk of stream) bytes += chunk.length;
    expect(produced).toBe(1000);
    expect(bytes).toBeGreaterThan(1000 * 64 * 1024);
    session.destroy();
  });

  it("ends every stream with UNAVAILABLE when the server stops, and then stops", async () => {
    await start({
      async *subscribeEvents(_request, options) {
        yield event(1);
        await untilAborted(options?.signal);
      },
    });
    const items = caller.stream("subscribeEvents", {});
    await items.next();
    const next = items.next();
    const closed = served.server.close();
    await expect(next).rejects.toMatchObject({ code: status.UNAVAILABLE, reason: "SHUTTING_DOWN" });
    await closed;
  });

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${served.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  }
});

/** The figure once it no longer changes between turns of the event loop. */
async function settled(figure: () => number): Promise<number> {
  let [last, still] = [-1, 0];
  while (still < 50) {
    await new Promise((resolve) => setImmediate(resolve));
    still = figure() === last ? still + 1 : 0;
    last = figure();
  }
  return last;
}
