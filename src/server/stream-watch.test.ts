import { EventEmitter } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { afterEach, describe, expect, it, vi } from "vitest";
import { StreamWatch } from "./stream-watch.ts";

let watch: StreamWatch;

afterEach(() => watch.close());

/** As much of a stream as the watch looks at. */
function streamDouble(state: Partial<ServerHttp2Stream>): ServerHttp2Stream {
  const calls = { close: vi.fn<() => void>(), destroy: vi.fn<() => void>() };
  const idle = { closed: false, readableEnded: false, headersSent: false, writableEnded: false };
  return Object.assign(new EventEmitter(), idle, calls, state) as unknown as ServerHttp2Stream;
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
    for (const stream of [...slow, ...fine, gone]) watch.add(stream);
    gone.emit("close");
    for (const stream of slow) await expect.poll(() => vi.mocked(stream.close).mock.calls.length).toBeGreaterThan(0);
    for (const stream of [...fine, gone]) expect(stream.close).not.toHaveBeenCalled();
  });

  it("frees streams that Node has closed and forgotten", async () => {
    watch = new StreamWatch(20);
    const forgotten = streamDouble({ closed: true });
    watch.add(forgotten);
    await expect.poll(() => vi.mocked(forgotten.destroy).mock.calls.length).toBeGreaterThan(0);
    expect(forgotten.close).not.toHaveBeenCalled();
  });
});
