import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { GrpcCaller } from "../../test/server/grpc-caller.ts";
import { serveDouble, type ServedDouble } from "../../test/server/server-fixture.ts";
import { Port } from "./port.ts";
import { readTlsIdentity } from "./tls-identity.ts";

let served: ServedDouble;

afterEach(() => served.server.close(0));

/** Not `once`, which rejects when the server resets the connection: that is one way to close it. */
function closeOf(socket: Duplex): Promise<void> {
  return new Promise((resolve) => (socket.destroyed ? resolve() : socket.once("close", () => resolve())));
}

async function socketTo(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => {});
  return socket;
}

/** All that the server sends until it closes the connection. */
async function allFrom(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await closeOf(socket);
  return Buffer.concat(chunks).toString("latin1");
}

/** Whether both protocols still get their answers. */
async function stillServes(): Promise<boolean> {
  expect(await (await fetch(`${served.url}/healthz`)).text()).toBe("alive\n");
  const caller = new GrpcCaller(served.server.address);
  await expect(caller.unary("getRun", { runId: "r" })).rejects.toMatchObject({ reason: "UNIMPLEMENTED" });
  caller.close();
  return true;
}

const tlsFiles = readTlsIdentity({
  certFile: join(import.meta.dirname, "../../test/server/tls/cert.pem"),
  keyFile: join(import.meta.dirname, "../../test/server/tls/key.pem"),
});
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const getHealth = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

describe("one port", () => {
  it("speaks HTTP/1.1 and HTTP/2 without TLS", async () => {
    served = await serveDouble({});
    expect(await stillServes()).toBe(true);
  });

  it("recognises HTTP/1.1 and HTTP/2 however their first bytes are cut", async () => {
    served = await serveDouble({});
    for (const bytes of [getHealth, getHealth.replace("GET", "POST"), getHealth.replace("GET", "PRX")]) {
      const socket = await socketTo(served.server.port);
      const answer = allFrom(socket);
      for (const byte of bytes.slice(0, 5)) await written(socket, byte);
      socket.write(bytes.slice(5));
      expect(await answer).toMatch(bytes.startsWith("GET") ? /^HTTP\/1\.1 200 .*alive/s : /^HTTP\/1\.1 40[05] /);
    }
    const socket = await socketTo(served.server.port);
    for (const byte of preface) await written(socket, byte);
    const [settings] = await once(socket, "data");
    // The frame type of the server's first frame is SETTINGS.
    expect(settings[3]).toBe(4);
    socket.destroy();
  });

  it.each([
    ["nothing but noise", Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256))],
    ["the start of TLS", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00])],
    ["zeros", Buffer.alloc(1024)],
    ["HTTP/2 that is none", Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")],
    ["HTTP/2 and then noise", Buffer.concat([Buffer.from(preface), Buffer.alloc(4096, 0xff)])],
    [
      "HTTP/2 with an oversized frame",
      Buffer.concat([Buffer.from(preface), Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])]),
    ],
    ["headers without end", Buffer.from(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(100_000)}`)],
    ["a path that is no path", Buffer.from("GET //[ HTTP/1.0\r\n\r\n")],
    ["an RPC without a host", Buffer.from("POST /tape.v1.Tape/GetRun HTTP/1.0\r\ncontent-length: 0\r\n\r\n")],
    ["a request to become a tunnel", Buffer.from("CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n")],
  ])("closes a connection that sends %s, and goes on", async (_what, bytes) => {
    served = await serveDouble({});
    const socket = await socketTo(served.server.port);
    const answer = allFrom(socket);
    socket.write(bytes);
    expect(await answer).not.toMatch(/^HTTP\/1\.1 200/);
    await stillServes();
  });

  it("goes on when connections break off anywhere", async () => {
    served = await serveDouble({});
    const request = `POST /tape.v1.Tape/GetRun HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"runId`;
    for (const bytes of ["", "P", "PRI", preface, `${preface}\x00\x00\x00\x04`, request.slice(0, 30), request]) {
      const half = await socketTo(served.server.port);
      half.end(bytes);
      const reset = await socketTo(served.server.port);
      reset.write(bytes);
      reset.resetAndDestroy();
      half.resume();
      await closeOf(half);
    }
    expect(await stillServes()).toBe(true);
  });

  it("goes on when calls are reset the moment they begin", async () => {
    served = await serveDouble({});
    const session = connectHttp2(served.url);
    const closed = Array.from({ length: 200 }, (_, i) => {
      const path = i % 2 === 0 ? "/tape.v1.Tape/GetRun" : "/nothing";
      const type = i % 3 === 0 ? "application/grpc" : "application/json";
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": type,
        expect: "100-continue",
      });
      stream.on("error", () => {});
      stream.close(i % 14);
      return closeOf(stream);
    });
    await Promise.all(closed);
    session.destroy();
    expect(await stillServes()).toBe(true);
  });

  it("refuses huge headers over HTTP/2 and goes on", async () => {
    served = await serveDouble({});
    const session = connectHttp2(served.url, { maxSendHeaderBlockLength: 2 ** 20 });
    session.on("error", () => {});
    const stream = session.request({ ":path": "/healthz", "x-large": "y".repeat(200_000) });
    await once(stream, "error");
    session.destroy();
    expect(await stillServes()).toBe(true);
  });

  it("cuts off a call whose body does not come", async () => {
    served = await serveDouble({}, { requestTimeoutMs: 50 });
    const session = connectHttp2(served.url);
    const stream = session.request({
      ":method": "POST",
      ":path": "/tape.v1.Tape/GetRun",
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.write(Buffer.from([0, 0, 0]));
    await once(stream, "close");
    expect(stream.rstCode).toBe(8);
    session.destroy();
    await stillServes();
  });

  it("cuts off a request of HTTP/1.1 whose headers do not come to an end", async () => {
    served = await serveDouble({}, { requestTimeoutMs: 50 });
    const socket = await socketTo(served.server.port);
    const answer = allFrom(socket);
    socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\n");
    expect(await answer).toMatch(/^HTTP\/1\.1 408/);
    await stillServes();
  });

  it("drops connections beyond the limit", async () => {
    served = await serveDouble({}, { maxConnections: 2 });
    const sockets = [await socketTo(served.server.port), await socketTo(served.server.port)];
    const third = await socketTo(served.server.port);
    await closeOf(third);
    expect(sockets.map(({ closed }) => closed)).toEqual([false, false]);
    for (const socket of sockets) socket.destroy();
  });

  it("refuses more streams on a connection than allowed", async () => {
    served = await serveDouble({}, { maxStreams: 7 });
    const session = connectHttp2(served.url);
    const [settings] = await once(session, "remoteSettings");
    expect(settings.maxConcurrentStreams).toBe(7);
    session.destroy();
  });

  it("says in one line that a port cannot be had", async () => {
    served = await serveDouble({});
    const taken = { host: "127.0.0.1", port: served.server.port };
    const again = Port.open({ listen: taken, tls: null, maxConnections: 1, silenceMs: 1000 });
    await expect(again).rejects.toMatchObject({
      reason: "CONFIG_INVALID",
      message: expect.stringMatching(/listens there/),
    });
  });

  it("closes a connection that says nothing", async () => {
    served = await serveDouble({});
    const port = await Port.open({
      listen: { host: "127.0.0.1", port: 0 },
      tls: null,
      maxConnections: 9,
      silenceMs: 20,
    });
    port.accept({ http1: () => {}, http2: () => {} });
    const silent = await socketTo(port.address.port);
    const hesitant = await socketTo(port.address.port);
    hesitant.write("PR");
    await Promise.all([closeOf(silent), closeOf(hesitant)]);
    await expect.poll(() => port.connections).toBe(0);
    await port.close();
  });

  it.each([
    [
      "a TLS handshake",
      tlsFiles,
      Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), Buffer.alloc(500)]),
    ],
    ["the first bytes", null, Buffer.from("PR")],
  ])(
    "closes a connection that takes too long for %s, also when it says something all the time",
    async (_what, tls, bytes) => {
      served = await serveDouble({});
      const listen = { host: "127.0.0.1", port: 0 };
      const port = await Port.open({ listen, tls, maxConnections: 9, silenceMs: 100 });
      port.accept({ http1: () => {}, http2: () => {} });
      const slow = await socketTo(port.address.port);
      let at = 0;
      const trickle = setInterval(() => slow.write(bytes.subarray(at, (at += 1))), 10);
      await closeOf(slow);
      clearInterval(trickle);
      expect(at).toBeLessThan(bytes.length + 100);
      await port.close();
    },
  );
});

function written(socket: Socket, bytes: string): Promise<void> {
  return new Promise((resolve) => socket.write(bytes, "latin1", () => setImmediate(resolve)));
}
