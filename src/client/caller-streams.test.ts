import { once } from "node:events";
import { constants } from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import { ManualTimers } from "../../test/client/manual-timers.ts";
import { collect, Stage } from "../../test/client/stub-client.ts";
import type { StubCall } from "../../test/client/stub-server.ts";
import { TapeError } from "../errors.ts";
import type { JournalEntry } from "../model/run.ts";
import { eventually } from "../../test/eventually.ts";

const stage = new Stage();
afterEach(() => stage[Symbol.asyncDispose]());
const stub = stage.server.bind(stage);
const client = stage.client.bind(stage);
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

  describe("whose token expires on the way", () => {
    const expiring = async function* (call: StubCall): AsyncGenerator<JournalEntry, void, undefined> {
      if (call.count === 1) {
        yield entry(1);
        throw new TapeError("CREDENTIALS_EXPIRED", "over");
      }
      if (call.count === 2) yield* [entry(1), entry(2)];
      else throw new TapeError("CREDENTIALS_EXPIRED", "expired before");
    };

    test("go on with the next one, where a function gives it", async () => {
      const server = await stub(expiring);
      const given = ["one", "two"];
      const tape = client(server, { token: () => given.shift() ?? "none", timers: new ManualTimers() });
      await expect(collect(tape.subscribeRun({ runId: "r" }))).resolves.toEqual([entry(1), entry(2)]);
      expect(server.calls.map(({ headers }) => headers.authorization)).toEqual(["Bearer one", "Bearer two"]);
    });

    test("end where there is no other", async () => {
      const server = await stub(expiring);
      const tape = client(server, { token: "one" });
      await expect(collect(tape.subscribeRun({ runId: "r" }))).rejects.toMatchObject({ reason: "CREDENTIALS_EXPIRED" });
      expect(server.calls).toHaveLength(1);
    });

    test("end where the next one is no better", async () => {
      const server = await stub(async function* (call) {
        if (call.count === 1) yield entry(1);
        throw new TapeError("CREDENTIALS_EXPIRED", "over");
      });
      const tape = client(server, { token: () => "old" });
      await expect(collect(tape.subscribeRun({ runId: "r" }))).rejects.toMatchObject({ reason: "CREDENTIALS_EXPIRED" });
      expect(server.calls).toHaveLength(2);
    });
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

  test("have no deadline of their own", async () => {
    const server = await stub(async function* () {
      yield entry(1);
    });
    await collect(client(server, { timeoutMs: 1000 }).subscribeRun({ runId: "r" }));
    expect(server.calls[0]?.headers).not.toHaveProperty("grpc-timeout");
  });

  test("wait as shortly as ever after a break behind an item, however many there were", async () => {
    const server = await stub(async function* ({ count }) {
      yield entry(count);
      if (count < 4) throw new TapeError("SHUTTING_DOWN", "this server stops");
    });
    const timers = new ManualTimers();
    const reading = collect(client(server, { timers, retries: { baseDelayMs: 70 } }).subscribeRun({ runId: "r" }));
    for (const breaks of [1, 2, 3]) {
      await eventually(() => expect(timers.asked.filter((ms) => ms === 70)).toHaveLength(breaks));
      timers.advance(70);
    }
    await expect(reading).resolves.toHaveLength(4);
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
      await eventually(() => expect(timers.asked.filter((ms) => ms === 70)).toHaveLength(failures));
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
    await eventually(() => expect(timers.asked).toContain(70));
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
    const cancelled = once(streamOf(server), "close");
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
    await eventually(() => expect(server.calls[0]?.stream.rstCode).toBe(constants.NGHTTP2_CANCEL));
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
    await eventually(() => expect(server.calls).toHaveLength(2));
    giveUp.abort();
    timers.advance(50);
    await expect(left).resolves.toMatchObject({ reason: "CANCELLED" });
    await expect(late).resolves.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
  });
});

function streamOf({ calls: [call] }: { readonly calls: readonly StubCall[] }): StubCall["stream"] {
  if (call === undefined) throw new Error("no call");
  return call.stream;
}
