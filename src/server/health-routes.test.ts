import { connect } from "node:http2";
import { Client, credentials, status } from "@grpc/grpc-js";
import {
  fromBinary,
  toBinary,
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serveDouble, type ServedDouble } from "../../test/server/server-fixture.ts";
import { testConfig } from "../../test/server/test-config.ts";
import { TapeError } from "../errors.ts";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Serving,
  HealthCheckResponseSchema,
  HealthListRequestSchema,
  HealthListResponseSchema,
} from "../rpc/gen/grpc/health/v1/health_pb.ts";

let served: ServedDouble;
let client: Client;

beforeEach(async () => {
  served = await serveDouble({});
  client = new Client(served.server.address, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await served.server.close(0);
});

function unary<I extends DescMessage, O extends DescMessage>(
  rpc: string,
  input: I,
  output: O,
  request: MessageInitShape<I>,
): Promise<MessageShape<O>> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<MessageShape<I>, MessageShape<O>>(
      `/grpc.health.v1.Health/${rpc}`,
      (message) => Buffer.from(toBinary(input, message)),
      (bytes) => fromBinary(output, bytes),
      create(input, request),
      (error, response) => (response === undefined ? reject(error ?? new Error("no response")) : resolve(response)),
    );
  });
}

const check = (service: string): Promise<MessageShape<typeof HealthCheckResponseSchema>> =>
  unary("Check", HealthCheckRequestSchema, HealthCheckResponseSchema, { service });

function watch(service: string): AsyncIterator<MessageShape<typeof HealthCheckResponseSchema>> {
  const call = client.makeServerStreamRequest(
    "/grpc.health.v1.Health/Watch",
    (message: MessageShape<typeof HealthCheckRequestSchema>) =>
      Buffer.from(toBinary(HealthCheckRequestSchema, message)),
    (bytes) => fromBinary(HealthCheckResponseSchema, bytes),
    create(HealthCheckRequestSchema, { service }),
  );
  return call[Symbol.asyncIterator]();
}

describe("grpc.health.v1", () => {
  it("follows the store", async () => {
    expect((await check("")).status).toBe(Serving.SERVING);
    expect((await check("tape.v1.Tape")).status).toBe(Serving.SERVING);
    served.ping.mockRejectedValue(new TapeError("STORE_UNAVAILABLE", "gone"));
    expect((await check("")).status).toBe(Serving.NOT_SERVING);
    const { statuses } = await unary("List", HealthListRequestSchema, HealthListResponseSchema, {});
    expect(Object.entries(statuses).map(([name, { status: state }]) => [name, state])).toEqual([
      ["", Serving.NOT_SERVING],
      ["tape.v1.Tape", Serving.NOT_SERVING],
      ["tape.v1.Inspect", Serving.NOT_SERVING],
    ]);
  });

  it("knows no other service", async () => {
    await expect(check("tape.v1.Tap")).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect(await watch("tape.v1.Tap").next()).toMatchObject({ value: { status: Serving.SERVICE_UNKNOWN } });
  });

  it("lets watchers hold so many streams and no more, and still answers every question", async () => {
    const sessions = [connect(served.url), connect(served.url)];
    const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
    const refused: unknown[] = [];
    for (let opened = 0; opened <= testConfig.maxPending; opened += 1) {
      const stream = sessions[opened % 2]?.request({ ...headers, ":path": "/grpc.health.v1.Health/Watch" });
      const remember = (given: Record<string, unknown>): unknown =>
        given["grpc-status"] && refused.push(given["grpc-status"]);
      stream
        ?.on("error", () => {})
        .on("response", remember)
        .on("trailers", remember)
        .resume();
      stream?.end(Buffer.alloc(5));
    }
    await expect.poll(() => refused).toEqual([`${status.UNAVAILABLE}`]);
    expect((await check("")).status).toBe(Serving.SERVING);
    for (const session of sessions) session.destroy();
  });

  it("tells a watcher that the server stops, and leaves", async () => {
    const watcher = watch("");
    expect(await watcher.next()).toMatchObject({ value: { status: Serving.SERVING } });
    const closed = served.server.close();
    expect(await watcher.next()).toMatchObject({ value: { status: Serving.NOT_SERVING } });
    await expect(watcher.next()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await closed;
  });
});
