import { EventEmitter } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { afterEach, describe, expect, it, vi, type Mock } from "vitest";
import { StreamWatch } from "./stream-watch.ts";

let watch: StreamWatch;

afterEach(() => watch.close());

interface Double {
  readonly stream: ServerHttp2Stream;
  readonly close: Mock<() => void>;
  readonly destroy: Mock<() => void>;
}

/** As much of a stream as the watch looks at. */
function streamDouble(state: Partial<ServerHttp2Stream>): Double {
  const [close, destroy] = [vi.fn<() => void>(), vi.fn<() => void>()];
  const idle = { closed: false, readableEnded: false, headersSent: false, writableEnded: false };
  const stream = Object.assign(new EventEmitter(), idle, { close, destroy }, state) as unknown as ServerHttp2Stream;
  return { stream, close, destroy };
}

describe("the watch over streams", () => {
  it("cuts off requests that do not come and answers that are not taken, and nothing else", async () => {
    watch = new StreamWatch(20);
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

  it("frees streams that Node has closed and forgotten", async () => {
    watch = new StreamWatch(20);
    const { stream, close, destroy } = streamDouble({ closed: true });
    watch.add(stream);
    await expect.poll(() => destroy.mock.calls.length).toBeGreaterThan(0);
    expect(close).not.toHaveBeenCalled();
  });
});
