import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { collect } from "../../test/client/stub-client.ts";
import { rpcMethods } from "../rpc/rpc-methods.ts";
import { connectTape } from "./browser.ts";
import { FrameReader, frameOf } from "./grpc-frames.ts";

const method = rpcMethods.subscribeRun;

const entry = (seq: number): Uint8Array =>
  frameOf(
    method.response.encode({
      seq,
      kind: "run",
      payloadJson: "{}",
      tsMs: 1,
      globalSeq: seq,
      subject: "s",
      schemaVersion: 1,
      traceId: "",
      spanId: "",
      parentSpanId: "",
    }),
  );

function okTrailers(): Uint8Array {
  const frame = frameOf(Buffer.from("grpc-status: 0\r\n"));
  frame[0] = 0x80;
  return frame;
}

test("R14 an answer of gRPC-Web that ends without trailers was cut off: the stream goes on behind its last item", async () => {
  const asked: (number | undefined)[] = [];
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    request.on("end", () => {
      const [frame] = new FrameReader().push(Buffer.concat(chunks));
      asked.push(method.request.decode(frame?.data ?? new Uint8Array()).fromSeq);
      response.writeHead(200, { "content-type": "application/grpc-web+proto" });
      // As a proxy ends it that has lost the server.
      if (asked.length === 1) response.end(entry(1));
      else response.end(Buffer.concat([entry(2), okTrailers()]));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const tape = connectTape(`tape://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    retries: { baseDelayMs: 1 },
  });
  onTestFinished(() => tape.close());
  const items = await collect(tape.subscribeRun({ runId: "r" }));
  expect(items.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(asked).toEqual([0, 2]);
});
