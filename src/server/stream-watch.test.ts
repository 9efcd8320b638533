import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { afterEach, describe, expect, it, vi, type Mock } from "vitest";
import { StreamWatch } from "./stream-watch.ts";

let watch: StreamWatch;
const limits = { timeoutMs: 60_000, maxStreams: 100 };

afterEach(() => watch.close());

interface Double {
  readonly stream: ServerHttp2Stream;
  readonly close: Mock<(code?: number) => void>;
  readonly destroy: Mock<() => void>;
}

/** As much of a stream as the watch looks at. */
function streamDouble(state: Partial<ServerHttp2Stream>): Double {
  const [close, destroy] = [vi.fn<(code?: number) => void>(), vi.fn<() => void>()];
  const idle = { closed: false, readableEnded: false, headersSent: false, writableEnded: false };
  const stream = Object.assign(new EventEmitter(), idle, { close, destroy }, state) as unknown as ServerHttp2Stream;
  return { stream, close, destroy };
}

describe("the watch over streams", () => {
  it("cuts off requests that do not come and answers that are not taken, and nothing else", async () => {
    watch = new StreamWatch({ ...limits, timeoutMs: 20 });
    const slow = [streamDouble({}), streamDouble({ readableEnded: true, headersSent: true, writableEnded: true })];
    const fine = [
      streamDouble({ readableEnded: true }),
      streamDouble({ readableEnded: true, headersSent: true }),
      streamDouble({ headersSent: true }),
    ];
    const gone = streamDouble({});
    for (const { stream } of [...slow, ...fine, gone]) watch.add(stream);
    gone.stream.emit("close");
    for (const { close } of slow) await expect.poll(() => close.mock.calls.length).toBeGreaterThan(0);
    for (const { close } of [...fine, gone]) expect(close).not.toHaveBeenCalled();
  });

  it("cuts off an answer of many parts whose reader takes none for the whole time, and says that it is too much", async () => {
    watch = new StreamWatch({ ...limits, timeoutMs: 60 });
    const answering = { readableEnded: true, headersSent: true, writableNeedDrain: true };
    const [deaf, slow] = [streamDouble(answering), streamDouble(answering)];
    for (const { stream } of [deaf, slow]) watch.add(stream);
    // Whoever takes a part now and then is slow, and that is allowed.
    const taking = setInterval(() => slow.stream.emit("drain"), 5);
    await expect.poll(() => deaf.close.mock.calls).toContainEqual([constants.NGHTTP2_ENHANCE_YOUR_CALM]);
    clearInterval(taking);
    expect(slow.close).not.toHaveBeenCalled();
  });

  it("takes no more streams than it may", () => {
    watch = new StreamWatch({ ...limits, maxStreams: 1 });
    const [first, second] = [streamDouble({}), streamDouble({})];
    expect([watch.add(first.stream), watch.add(second.stream)]).toEqual([true, false]);
    first.stream.emit("close");
    expect(watch.add(second.stream)).toBe(true);
  });

  it("cuts off a response of HTTP/1.1 that is not taken", async () => {
    watch = new StreamWatch({ ...limits, timeoutMs: 20 });
    const destroy = vi.fn<() => void>();
    const response = Object.assign(new EventEmitter(), { writableEnded: true, destroy });
    watch.addResponse(response as unknown as ServerResponse);
    await expect.poll(() => destroy.mock.calls.length).toBeGreaterThan(0);
  });

  it("frees streams that Node has closed and forgotten", async () => {
    watch = new StreamWatch({ ...limits, timeoutMs: 20 });
    const { stream, close, destroy } = streamDouble({ closed: true });
    watch.add(stream);
    await expect.poll(() => destroy.mock.calls.length).toBeGreaterThan(0);
    expect(close).not.toHaveBeenCalled();
  });
});
