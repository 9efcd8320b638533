import { getEventListeners, once } from "node:events";
import { constants } from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import { ManualTimers } from "../../test/client/manual-timers.ts";
import { budget, collect, Stage } from "../../test/client/stub-client.ts";
import { TapeError } from "../errors.ts";
import { eventually } from "../../test/eventually.ts";

const stage = new Stage();
afterEach(() => stage[Symbol.asyncDispose]());
const stub = stage.server.bind(stage);
const client = stage.client.bind(stage);
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
    await eventually(() => expect(timers.asked).toContain(100));
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
      await eventually(() => expect(server.calls).toHaveLength(attempts));
      await eventually(() => expect(timers.asked.filter((ms) => ms <= 300)).toHaveLength(attempts));
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
    await eventually(() => expect(timers.asked).toContain(100));
    timers.advance(100);
    await eventually(() => expect(server.calls).toHaveLength(2));
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
    await eventually(() => expect(server.calls).toHaveLength(1));
    giveUp.abort(new Error("changed my mind"));
    await expect(call).rejects.toMatchObject({ reason: "CANCELLED", cause: new Error("changed my mind") });
    await expect(client(server).getRun({ runId: "r" }, { signal: giveUp.signal })).rejects.toMatchObject({
      reason: "CANCELLED",
    });
    expect(server.calls).toHaveLength(1);
  });

  test("leaves nothing on the caller's signal, which may outlive many calls", async () => {
    const server = await stub(({ name }) => (name === "getRun" ? Promise.reject(unavailable) : budget));
    const { signal } = new AbortController();
    const tape = client(server, { retries: { maxAttempts: 2, baseDelayMs: 1 } });
    await tape.chargeBudget({ runId: "r" }, { signal });
    await expect(tape.getRun({ runId: "r" }, { signal })).rejects.toThrow(TapeError);
    expect(getEventListeners(signal, "abort")).toEqual([]);
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

  test("waits for a token function no longer than for the call", async () => {
    const server = await stub(() => budget);
    const timers = new ManualTimers();
    const call = client(server, { token: () => new Promise(() => {}), timers }).getRun({ runId: "r" });
    await Promise.resolve();
    timers.advance(30_000);
    await expect(call).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    expect(server.calls).toHaveLength(0);
  });

  test("says what the token function says", async () => {
    const server = await stub(() => budget);
    const refusal = new TapeError("CREDENTIALS_MISSING", "log in first");
    await expect(client(server, { token: () => Promise.reject(refusal) }).getRun({ runId: "r" })).rejects.toBe(refusal);
  });

  test("refuses what cannot travel", async () => {
    await expect(client(await stub(() => budget), { token: "to\nken" }).getRun({ runId: "r" })).rejects.toMatchObject({
      reason: "CREDENTIALS_INVALID",
    });
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

describe("close", () => {
  test("ends streams, waits for calls under way and refuses new ones", async () => {
    const answers: (() => void)[] = [];
    const server = await stub(() => new Promise((resolve) => answers.push(() => resolve(budget))));
    const tape = client(server);
    const stream = collect(tape.subscribeRun({ runId: "r" })).catch((error: unknown) => error);
    const call = tape.chargeBudget({ runId: "r" });
    await eventually(() => expect(server.calls).toHaveLength(2));
    let closed = false;
    const closing = Promise.all([tape.close(), tape.close()]).then(() => (closed = true));
    await expect(stream).resolves.toMatchObject({ reason: "SHUTTING_DOWN" });
    await expect(tape.getRun({ runId: "r" })).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
    expect(closed).toBe(false);
    for (const answer of answers) answer();
    await expect(call).resolves.toEqual(budget);
    await closing;
    await tape.close();
    await eventually(() => expect(server.sessions).toHaveLength(0));
  });

  test("lets nothing be tried again, neither what fails then nor what waits for its next attempt", async () => {
    let fail = (): void => undefined;
    const failing = await stub(() => new Promise((_resolve, reject) => (fail = () => reject(unavailable))));
    const tape = client(failing);
    const underWay = tape.chargeBudget({ runId: "r" }).catch((error: unknown) => error);
    await eventually(() => expect(failing.calls).toHaveLength(1));
    const closing = tape.close();
    fail();
    await expect(underWay).resolves.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    await closing;
    expect(failing.calls).toHaveLength(1);

    const server = await stub(() => {
      throw unavailable;
    });
    const timers = new ManualTimers();
    const patient = client(server, { timers, retries: { baseDelayMs: 70 } });
    const waiting = patient.chargeBudget({ runId: "r" }).catch((error: unknown) => error);
    await eventually(() => expect(timers.asked).toContain(70));
    const closed = patient.close();
    timers.advance(70);
    await expect(waiting).resolves.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    await closed;
    expect(server.calls).toHaveLength(1);
  });

  test("comes with the client's signal", async () => {
    const server = await stub(() => undefined);
    const over = new AbortController();
    const tape = client(server, { signal: over.signal });
    const stream = collect(tape.subscribeRun({ runId: "r" })).catch((error: unknown) => error);
    await eventually(() => expect(server.calls).toHaveLength(1));
    over.abort();
    await expect(stream).resolves.toMatchObject({ reason: "SHUTTING_DOWN" });
    await expect(client(server, { signal: over.signal }).getRun({ runId: "r" })).rejects.toMatchObject({
      reason: "SHUTTING_DOWN",
    });
  });
});
