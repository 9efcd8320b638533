import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { CutProxy } from "../../test/client/cut-proxy.ts";
import { ManualTimers } from "../../test/client/manual-timers.ts";
import { budget, Stage } from "../../test/client/stub-client.ts";
import { eventually } from "../../test/eventually.ts";

const stage = new Stage();
afterEach(() => stage[Symbol.asyncDispose]());
const stub = stage.server.bind(stage);
const client = stage.client.bind(stage);
describe("connections", () => {
  test("calls share them", async () => {
    const server = await stub(() => budget);
    const tape = client(server);
    await Promise.all(Array.from({ length: 150 }, () => tape.chargeBudget({ runId: "r" })));
    expect(server.calls).toHaveLength(150);
    // More than 100 before the server has said how many it takes.
    expect(server.sessions).toHaveLength(2);
    await Promise.all(Array.from({ length: 1000 }, () => tape.chargeBudget({ runId: "r" })));
    expect(server.sessions).toHaveLength(2);
  });

  test("a server that allows few streams gets more connections, and then a queue", async () => {
    const waiting: (() => void)[] = [];
    const server = await stub(() => new Promise((resolve) => waiting.push(() => resolve(budget))), {
      maxConcurrentStreams: 1,
    });
    const tape = client(server);
    const calls: Promise<unknown>[] = [];
    for (let known = 0; known < 8; known++) {
      calls.push(tape.chargeBudget({ runId: "r" }));
      await eventually(() => expect(server.calls).toHaveLength(known + 1));
    }
    calls.push(tape.chargeBudget({ runId: "r" }));
    expect(server.sessions).toHaveLength(8);
    waiting.shift()?.();
    await eventually(() => expect(server.calls).toHaveLength(9));
    for (const answer of waiting) answer();
    await Promise.all(calls);
    expect(server.sessions).toHaveLength(8);
  });

  test("after GOAWAY calls under way end well and new ones go elsewhere", async () => {
    const answers: (() => void)[] = [];
    const server = await stub((call) =>
      call.count === 1 ? new Promise((resolve) => answers.push(() => resolve(budget))) : budget,
    );
    const tape = client(server);
    const first = tape.chargeBudget({ runId: "r" });
    await eventually(() => expect(server.calls).toHaveLength(1));
    const [leaving] = server.sessions;
    leaving?.goaway();
    await eventually(async () => {
      await tape.chargeBudget({ runId: "r" });
      expect(server.calls.at(-1)?.stream.session).not.toBe(leaving);
    });
    answers[0]?.();
    await expect(first).resolves.toEqual(budget);
  });

  test("one that gives no sign of life is given up", async () => {
    const server = await stub((call) => (call.count > 1 ? budget : undefined));
    const proxy = await CutProxy.to(server);
    stage.keep(proxy);
    const timers = new ManualTimers();
    const call = client(proxy, { timers, keepaliveMs: 5_000, timeoutMs: 60_000 }).chargeBudget({ runId: "r" });
    await eventually(() => expect(server.calls).toHaveLength(1));
    timers.advance(5_000);
    await eventually(() => expect(timers.asked.at(-1)).toBe(5_000));
    proxy.mute();
    timers.advance(5_000);
    timers.advance(10_000);
    await eventually(() => expect(timers.asked.at(-1)).toBe(1));
    timers.advance(100);
    await expect(call).resolves.toEqual(budget);
  });
});

describe("what is no Tape server", () => {
  test.each([
    ["HTTP/1.1", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["noise", "\u0000\u0001\u0002".repeat(50)],
    ["silence and then an end", ""],
  ])("%s is one clear error", async (_name, bytes) => {
    const server = createServer((socket) =>
      socket
        .on("error", () => undefined)
        .resume()
        .end(bytes),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    stage.keep({ [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) });
    const url = `tape://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(client({ url }, { retries: { maxAttempts: 1 } }).getRun({ runId: "r" })).rejects.toMatchObject({
      reason: "SERVER_UNAVAILABLE",
      message: expect.stringContaining(`Cannot reach the Tape server at ${url}: what is there does not speak HTTP/2`),
    });
  });

  test("a proxy's refusal keeps its meaning", async () => {
    const server = await stub((call) => {
      call.stream.respond({ ":status": 403 }, { endStream: true });
      return undefined;
    });
    await expect(client(server).getRun({ runId: "r" })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining("403"),
    });
  });
});
