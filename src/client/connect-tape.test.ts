import { once } from "node:events";
import { constants } from "node:http2";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ManualTimers } from "../../test/client/manual-timers.ts";
import { CutProxy } from "../../test/client/cut-proxy.ts";
import { type Script, StubServer } from "../../test/client/stub-server.ts";
import { TapeError } from "../errors.ts";
import type { JournalEntry } from "../model/run.ts";
import type { Tape } from "../model/tape.ts";
import type { ClientOptions } from "./client-options.ts";
import { connectTape } from "./connect-tape.ts";

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function stub(script: Script, settings?: { maxConcurrentStreams?: number }): Promise<StubServer> {
  const server = await new StubServer(script, settings).listen();
  open.push({ [Symbol.asyncDispose]: () => server.close() });
  return server;
}

function client(server: { readonly url: string }, options: ClientOptions = {}): Tape {
  const tape = connectTape(server.url, { retries: { baseDelayMs: 1 }, ...options });
  open.push(tape);
  return tape;
}

const budget = { runId: "r", usdCap: 1, tokenCap: 2, usdSpent: 0.5, tokensSpent: 1 };
const decision = {
  runId: "r",
  seq: 1,
  decisionIndex: 0,
  model: "",
  requestJson: "",
  responseJson: "",
  rationale: "",
  policyVersion: "",
  tsMs: 1,
};
const unavailable = new TapeError("STORE_UNAVAILABLE", "the store is away");

describe("unary", () => {
  test("carries nouns and metadata both ways", async () => {
    const server = await stub(() => ({
      noun: { runId: "r-1", resumed: true, nextSeq: 7, status: "RUNNING" },
      headers: { "tape-lease-epoch": "3" },
    }));
    const answer = await client(server, { token: "secret", timers: new ManualTimers() }).beginRun(
      { appName: "a", invocationId: "é \u{1f600}", labels: { k: "v" } },
      { leaseEpoch: 2, claimer: "me", gateOccurrence: 4, strict: true, requestId: "q", traceparent: "00-1" },
    );
    expect(answer).toEqual({ runId: "r-1", resumed: true, nextSeq: 7, status: "RUNNING", leaseEpoch: 3 });
    const [call] = server.calls;
    expect(call?.request).toMatchObject({ appName: "a", invocationId: "é \u{1f600}", labels: { k: "v" } });
    expect(call?.headers).toMatchObject({
      authorization: "Bearer secret",
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": "30000m",
      "tape-lease-epoch": "2",
      "tape-claimer": "me",
      "tape-gate-occurrence": "4",
      "tape-strict": "1",
      "tape-request-id": "q",
      traceparent: "00-1",
    });
  });

  test("gives the server's error with its reason and ids", async () => {
    const server = await stub(() => {
      throw new TapeError("LEASE_HELD", "held by näme", { ids: { holder: "näme" } });
    });
    const call = client(server).beginRun({ appName: "a", invocationId: "i" });
    await expect(call).rejects.toMatchObject({
      reason: "LEASE_HELD",
      code: "ABORTED",
      message: "held by näme",
      ids: { holder: "näme" },
    });
    expect(server.calls).toHaveLength(1);
  });

  test("tries UNAVAILABLE and lost races again under one request id", async () => {
    const errors = [unavailable, new TapeError("WRITE_CONFLICT", "lost the race")];
    const server = await stub(() => {
      const error = errors.shift();
      if (error !== undefined) throw error;
      return budget;
    });
    await expect(client(server).chargeBudget({ runId: "r", usd: 1 })).resolves.toEqual(budget);
    const ids = server.calls.map(({ headers }) => headers["tape-request-id"]);
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), ids[0], ids[0]]);
  });

  test("survives a connection that breaks under the call", async () => {
    const server = await stub((call) => {
      if (call.count > 1) return budget;
      server.cut();
      return undefined;
    });
    await expect(client(server).chargeBudget({ runId: "r" })).resolves.toEqual(budget);
    expect(server.calls).toHaveLength(2);
  });

  test("says that nothing listens, after as many attempts as allowed", async () => {
    const server = await stub(() => budget);
    await server.close();
    const timers = new ManualTimers();
    const tape = client(server, { retries: { maxAttempts: 1 }, timers });
    await expect(tape.getRun({ runId: "r" })).rejects.toMatchObject({
      reason: "SERVER_UNAVAILABLE",
      message: `Cannot reach the Tape server at ${server.url}: nothing listens there. Check the address, and that the server runs (\`tape serve\`).`,
    });
  });

  test("finds a server that comes back", async () => {
    const server = await stub(() => budget);
    await server.close();
    const timers = new ManualTimers();
    const call = client(server, { timers, retries: { baseDelayMs: 100 } }).chargeBudget({ runId: "r" });
    await vi.waitFor(() => expect(timers.asked).toContain(100));
    await server.listen();
    timers.advance(100);
    await expect(call).resolves.toEqual(budget);
  });

  test("waits longer and longer, and in the end gives the last error", async () => {
    const server = await stub(() => {
      throw unavailable;
    });
    const timers = new ManualTimers();
    const tape = client(server, {
      timers,
      timeoutMs: Infinity,
      retries: { maxAttempts: 5, baseDelayMs: 100, maxDelayMs: 300 },
    });
    const call = tape.getRun({ runId: "r" }).catch((error: unknown) => error);
    for (const attempts of [1, 2, 3, 4]) {
      await vi.waitFor(() => expect(server.calls).toHaveLength(attempts));
      await vi.waitFor(() => expect(timers.asked.filter((ms) => ms <= 300)).toHaveLength(attempts));
      timers.advance(300);
    }
    await expect(call).resolves.toMatchObject({ reason: "STORE_UNAVAILABLE", message: "the store is away" });
    expect(timers.asked.filter((ms) => ms <= 300)).toEqual([100, 200, 300, 300]);
    expect(server.calls).toHaveLength(5);
  });

  test("ends at the deadline, here and on the server, and counts all attempts", async () => {
    let cancelled: Promise<unknown> | undefined;
    const server = await stub((call) => {
      if (call.count === 1) throw unavailable;
      cancelled = once(call.stream, "close");
      return undefined;
    });
    const timers = new ManualTimers();
    const tape = client(server, { timers, retries: { baseDelayMs: 100 } });
    const call = tape.getRun({ runId: "r" }, { timeoutMs: 1000 }).catch((error: unknown) => error);
    await vi.waitFor(() => expect(timers.asked).toContain(100));
    timers.advance(100);
    await vi.waitFor(() => expect(server.calls).toHaveLength(2));
    expect(server.calls.map(({ headers }) => headers["grpc-timeout"])).toEqual(["1000m", "900m"]);
    timers.advance(900);
    await expect(call).resolves.toMatchObject({
      reason: "DEADLINE_EXCEEDED",
      message: expect.stringMatching(/^getRun took longer than 1000 ms\..*the store is away$/),
    });
    await cancelled;
    expect(server.calls[1]?.stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });

  test("does not wait for an attempt that would come after the deadline", async () => {
    const server = await stub(() => {
      throw unavailable;
    });
    const tape = client(server, { timers: new ManualTimers(), retries: { baseDelayMs: 100 } });
    await expect(tape.getRun({ runId: "r" }, { timeoutMs: 100 })).rejects.toMatchObject({
      reason: "STORE_UNAVAILABLE",
    });
  });

  test("ends at once when the caller gives up, and never tries again", async () => {
    const server = await stub(() => undefined);
    const giveUp = new AbortController();
    const call = client(server).chargeBudget({ runId: "r" }, { signal: giveUp.signal });
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    giveUp.abort(new Error("changed my mind"));
    await expect(call).rejects.toMatchObject({ reason: "CANCELLED", cause: new Error("changed my mind") });
    await expect(client(server).getRun({ runId: "r" }, { signal: giveUp.signal })).rejects.toMatchObject({
      reason: "CANCELLED",
    });
    expect(server.calls).toHaveLength(1);
  });

  test("asks a token function before every attempt", async () => {
    const tokens = ["one", "two"];
    const server = await stub((call) => {
      if (call.count === 1) throw unavailable;
      return budget;
    });
    await client(server, { token: () => Promise.resolve(tokens.shift() ?? "") }).chargeBudget({ runId: "r" });
    expect(server.calls.map(({ headers }) => headers.authorization)).toEqual(["Bearer one", "Bearer two"]);
  });

  test("does not send a call whose token function fails", async () => {
    const server = await stub(() => budget);
    const failing = client(server, { token: () => Promise.reject(new Error("no login")) });
    await expect(failing.getRun({ runId: "r" })).rejects.toMatchObject({
      reason: "CREDENTIALS_MISSING",
      cause: new Error("no login"),
    });
    expect(server.calls).toHaveLength(0);
  });

  test("refuses what cannot travel", async () => {
    const tape = client(await stub(() => budget));
    await expect(tape.chargeBudget({ runId: "r" }, { claimer: "ü" })).rejects.toMatchObject({
      reason: "ARGUMENT_INVALID",
      ids: { field: "claimer" },
    });
    await expect(tape.chargeBudget({ runId: "r", tokens: 1.5 })).rejects.toMatchObject({
      reason: "ARGUMENT_INVALID",
      ids: { field: "tokens" },
    });
    await expect(tape.chargeBudget({ runId: "r" }, { timeoutMs: Number.NaN })).rejects.toMatchObject({
      reason: "ARGUMENT_INVALID",
    });
  });

  test("carries 16 MiB both ways", async () => {
    const large = "x".repeat(8 * 1024 * 1024);
    const server = await stub(({ request }) => ({
      ...decision,
      requestJson: request["requestJson"],
      responseJson: request["responseJson"],
    }));
    const tape = client(server);
    const record = (): Promise<unknown> =>
      tape.recordDecision({ runId: "r", decisionIndex: 0, requestJson: large, responseJson: large });
    const answers = await Promise.all([record(), record()]);
    const expected = { ...decision, requestJson: large, responseJson: large, diverged: false };
    expect(answers).toEqual([expected, expected]);
  });
});

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
      await vi.waitFor(() => expect(server.calls).toHaveLength(known + 1));
    }
    calls.push(tape.chargeBudget({ runId: "r" }));
    expect(server.sessions).toHaveLength(8);
    waiting.shift()?.();
    await vi.waitFor(() => expect(server.calls).toHaveLength(9));
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
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    const [leaving] = server.sessions;
    leaving?.goaway();
    await vi.waitFor(async () => {
      await tape.chargeBudget({ runId: "r" });
      expect(server.calls.at(-1)?.stream.session).not.toBe(leaving);
    });
    answers[0]?.();
    await expect(first).resolves.toEqual(budget);
  });

  test("one that gives no sign of life is given up", async () => {
    const server = await stub((call) => (call.count > 1 ? budget : undefined));
    const proxy = await CutProxy.to(server);
    open.push(proxy);
    const timers = new ManualTimers();
    const call = client(proxy, { timers, keepaliveMs: 5_000, timeoutMs: 60_000 }).chargeBudget({ runId: "r" });
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    timers.advance(5_000);
    await vi.waitFor(() => expect(timers.asked.at(-1)).toBe(5_000));
    proxy.mute();
    timers.advance(5_000);
    timers.advance(10_000);
    await vi.waitFor(() => expect(timers.asked.at(-1)).toBe(1));
    timers.advance(100);
    await expect(call).resolves.toEqual(budget);
  });
});

describe("streams", () => {
  const entry = (seq: number): JournalEntry => ({
    seq,
    kind: "effect",
    payloadJson: "{}",
    tsMs: 1,
    globalSeq: seq * 10,
    subject: "s",
    schemaVersion: 1,
    traceId: "",
    spanId: "",
    parentSpanId: "",
  });

  test("deliver in order and end", async () => {
    const server = await stub(async function* () {
      yield* [entry(1), entry(2)];
    });
    await expect(collect(client(server).subscribeRun({ runId: "r" }))).resolves.toEqual([entry(1), entry(2)]);
  });

  test("go on behind the last item after a break, whatever the server sends again", async () => {
    const server = await stub(async function* (call) {
      if (call.count === 1) {
        yield* [entry(1), entry(2)];
        throw new TapeError("SHUTTING_DOWN", "bye");
      }
      yield* [entry(2), entry(3)];
    });
    await expect(collect(client(server).subscribeRun({ runId: "r", fromSeq: 1 }))).resolves.toEqual(
      [1, 2, 3].map(entry),
    );
    expect(server.calls.map(({ request }) => request["fromSeq"])).toEqual([1, 3]);
  });

  test("go on through cut connections, each by its own numbers", async () => {
    const events = (count: number): object => ({ ...entry(count), runId: "r" });
    const value = { namespace: "n", key: "k", valueJson: "1", tsMs: 1, writer: "", deleted: false };
    const server = await stub(async function* (call) {
      yield call.name === "watchValue"
        ? {
            noun: { value: { ...value, version: call.count }, prevVersion: 0, prevValueJson: "" },
            headers: { "tape-gap": "1" },
          }
        : events(call.count);
      await new Promise((resolve) => setImmediate(resolve));
      call.stream.session?.destroy();
    });
    const tape = client(server);
    const feed = await collect(tape.subscribeBySubject({ subjectPattern: "**", fromGlobalSeq: 5 }), 3);
    expect(feed.map(({ globalSeq }) => globalSeq)).toEqual([10, 20, 30]);
    expect(server.calls.slice(0, 3).map(({ request }) => request["fromGlobalSeq"])).toEqual([5, 10, 20]);
    const seen = server.calls.length;
    const values = await collect(tape.watchValue({ namespace: "n", key: "k" }), 2);
    expect(values.map(({ value: { version }, gap }) => [version, gap])).toEqual([
      [seen + 1, true],
      [seen + 2, true],
    ]);
    expect(server.calls.slice(seen).map(({ request }) => request["fromVersion"])).toEqual([0, seen + 1]);
  });

  test("end with an error that trying again would not help", async () => {
    const server = await stub(async function* () {
      yield entry(1);
      throw new TapeError("STORE_CORRUPT", "a row cannot be read");
    });
    const items: unknown[] = [];
    const reading = (async () => {
      for await (const item of client(server).subscribeRun({ runId: "r" })) items.push(item);
    })();
    await expect(reading).rejects.toMatchObject({ reason: "STORE_CORRUPT", message: "a row cannot be read" });
    expect(items).toEqual([entry(1)]);
  });

  test("keep trying a server that was there", async () => {
    const server = await stub(async function* () {
      yield entry(1);
      await new Promise(() => undefined);
    });
    const timers = new ManualTimers();
    const tape = client(server, { timers, retries: { maxAttempts: 2, baseDelayMs: 70, maxDelayMs: 70 } });
    const items = tape.subscribeRun({ runId: "r" })[Symbol.asyncIterator]();
    await expect(items.next()).resolves.toEqual({ done: false, value: entry(1) });
    const next = items.next();
    await server.close();
    for (const failures of [1, 2, 3]) {
      await vi.waitFor(() => expect(timers.asked.filter((ms) => ms === 70)).toHaveLength(failures));
      timers.advance(500);
    }
    await items.return?.();
    await expect(next).resolves.toEqual({ done: true, value: undefined });
  });

  test("give up a server that was never there", async () => {
    const server = await stub(() => undefined);
    await server.close();
    const timers = new ManualTimers();
    const tape = client(server, { timers, retries: { maxAttempts: 2, baseDelayMs: 70 } });
    const reading = collect(tape.subscribeRun({ runId: "r" })).catch((error: unknown) => error);
    await vi.waitFor(() => expect(timers.asked).toContain(70));
    timers.advance(70);
    await expect(reading).resolves.toMatchObject({ reason: "SERVER_UNAVAILABLE" });
  });

  test("can be left while nothing comes, which cancels the RPC", async () => {
    const server = await stub(async function* () {
      yield entry(1);
      await new Promise(() => undefined);
    });
    const items = client(server).subscribeRun({ runId: "r" })[Symbol.asyncIterator]();
    await items.next();
    const next = items.next();
    const cancelled = once(server.calls[0]?.stream ?? fail("no call"), "close");
    await expect(items.return?.()).resolves.toEqual({ done: true, value: undefined });
    await expect(next).resolves.toEqual({ done: true, value: undefined });
    await cancelled;
    expect(server.calls[0]?.stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    await expect(items.next()).resolves.toEqual({ done: true, value: undefined });
  });

  test("`break` cancels the RPC", async () => {
    const server = await stub(async function* () {
      for (let seq = 1; ; seq++) {
        yield entry(seq);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await collect(client(server).subscribeRun({ runId: "r" }), 2);
    await vi.waitFor(() => expect(server.calls[0]?.stream.rstCode).toBe(constants.NGHTTP2_CANCEL));
  });

  test("end with CANCELLED at the caller's signal, and with DEADLINE_EXCEEDED when they have a limit", async () => {
    const server = await stub(async function* () {
      yield entry(1);
      await new Promise(() => undefined);
    });
    const giveUp = new AbortController();
    const timers = new ManualTimers();
    const tape = client(server, { timers });
    const left = collect(tape.subscribeRun({ runId: "r" }, { signal: giveUp.signal })).catch((error: unknown) => error);
    const late = collect(tape.subscribeRun({ runId: "r" }, { timeoutMs: 50 })).catch((error: unknown) => error);
    await vi.waitFor(() => expect(server.calls).toHaveLength(2));
    giveUp.abort();
    timers.advance(50);
    await expect(left).resolves.toMatchObject({ reason: "CANCELLED" });
    await expect(late).resolves.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
  });
});

describe("close", () => {
  test("ends streams, waits for calls under way and refuses new ones", async () => {
    const answers: (() => void)[] = [];
    const server = await stub(() => new Promise((resolve) => answers.push(() => resolve(budget))));
    const tape = client(server);
    const stream = collect(tape.subscribeRun({ runId: "r" })).catch((error: unknown) => error);
    const call = tape.chargeBudget({ runId: "r" });
    await vi.waitFor(() => expect(server.calls).toHaveLength(2));
    let closed = false;
    const closing = tape.close().then(() => (closed = true));
    await expect(stream).resolves.toMatchObject({ reason: "SHUTTING_DOWN" });
    await expect(tape.getRun({ runId: "r" })).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
    expect(closed).toBe(false);
    for (const answer of answers) answer();
    await expect(call).resolves.toEqual(budget);
    await closing;
    await tape.close();
    await vi.waitFor(() => expect(server.sessions).toHaveLength(0));
  });

  test("comes with the client's signal", async () => {
    const server = await stub(() => undefined);
    const over = new AbortController();
    const tape = client(server, { signal: over.signal });
    const stream = collect(tape.subscribeRun({ runId: "r" })).catch((error: unknown) => error);
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    over.abort();
    await expect(stream).resolves.toMatchObject({ reason: "SHUTTING_DOWN" });
    await expect(client(server, { signal: over.signal }).getRun({ runId: "r" })).rejects.toMatchObject({
      reason: "SHUTTING_DOWN",
    });
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
    open.push({ [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) });
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

async function collect<Item>(items: AsyncIterable<Item>, atMost = Infinity): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) if (collected.push(item) >= atMost) break;
  return collected;
}

function fail(message: string): never {
  throw new Error(message);
}
