import { EventEmitter } from "node:events";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { afterEach, describe, expect, it, vi, type Mock } from "vitest";
import { SessionWatch } from "./session-watch.ts";

const never = 3_600_000;
const limits = { greetingMs: never, idleMs: never, keepaliveMs: never };

let watch: SessionWatch;

afterEach(() => watch.close());

interface Double {
  readonly session: ServerHttp2Session;
  readonly close: Mock<() => void>;
  readonly goaway: Mock<(code: number, lastStreamId: number) => void>;
  readonly destroy: Mock<() => void>;
  /** Answers to PINGs, to be called or not. */
  readonly pings: (() => void)[];
  /** Opens a stream on it. */
  readonly open: () => EventEmitter;
}

/** As much of a connection as the watch looks at. */
function sessionDouble(): Double {
  const pings: (() => void)[] = [];
  const state = { closed: false, destroyed: false };
  const close = vi.fn<() => void>(() => void (session.closed = true));
  const destroy = vi.fn<() => void>(() => void (session.destroyed = true));
  const goaway = vi.fn<(code: number, lastStreamId: number) => void>();
  const ping = (answered: () => void): boolean => pings.push(answered) > 0;
  const session = Object.assign(new EventEmitter(), state, { close, destroy, goaway, ping });
  const open = (): EventEmitter => {
    const stream = Object.assign(new EventEmitter(), { session });
    watch.addStream(stream as unknown as ServerHttp2Stream);
    return stream;
  };
  return { session: session as unknown as ServerHttp2Session, close, destroy, goaway, pings, open };
}

function watched(): Double {
  const double = sessionDouble();
  watch.add(double.session);
  return double;
}

function greeted(): Double {
  const double = watched();
  double.session.emit("remoteSettings");
  return double;
}

describe("the watch over connections of HTTP/2", () => {
  it("cuts off one that does not come to its first SETTINGS, and no other", async () => {
    watch = new SessionWatch({ ...limits, greetingMs: 20 });
    const [silent, fine] = [watched(), greeted()];
    await expect.poll(() => silent.destroy.mock.calls.length).toBeGreaterThan(0);
    expect(fine.destroy).not.toHaveBeenCalled();
  });

  it("tells one without a stream that no more should come, then closes it, and cuts it off when it does not leave", async () => {
    watch = new SessionWatch({ ...limits, greetingMs: 20, idleMs: 20 });
    const [idle, busy] = [greeted(), greeted()];
    busy.open();
    await expect.poll(() => idle.goaway.mock.calls).toEqual([[0, 2 ** 31 - 1]]);
    expect(idle.close).not.toHaveBeenCalled();
    await expect.poll(() => idle.close.mock.calls.length).toBeGreaterThan(0);
    await expect.poll(() => idle.destroy.mock.calls.length).toBeGreaterThan(0);
    expect(busy.close).not.toHaveBeenCalled();
  });

  it("counts the time without a stream from the end of the last one", async () => {
    watch = new SessionWatch({ ...limits, idleMs: 20 });
    const session = greeted();
    const [first, second] = [session.open(), session.open()];
    first.emit("close");
    expect(session.goaway).not.toHaveBeenCalled();
    second.emit("close");
    await expect.poll(() => session.goaway.mock.calls.length).toBeGreaterThan(0);
  });

  it("asks peers with streams whether they are there, and cuts off those who do not answer", async () => {
    watch = new SessionWatch({ ...limits, keepaliveMs: 20 });
    const [gone, there, idle] = [greeted(), greeted(), greeted()];
    for (const { open } of [gone, there]) open();
    const answering = setInterval(() => there.pings.splice(0).forEach((answer) => answer()), 1);
    await expect.poll(() => gone.destroy.mock.calls.length).toBeGreaterThan(0);
    clearInterval(answering);
    expect(gone.pings).toHaveLength(1);
    expect(there.destroy).not.toHaveBeenCalled();
    expect(idle.pings).toEqual([]);
  });

  it("tells all of them to go", () => {
    watch = new SessionWatch(limits);
    const sessions = [watched(), greeted()];
    watch.closeAll();
    for (const { close } of sessions) expect(close).toHaveBeenCalledTimes(1);
  });
});
