import { describe, expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { Readiness } from "./readiness.ts";

function readinessOf(
  ping: (signal: AbortSignal) => Promise<number>,
  closing = new AbortController().signal,
): {
  readonly clock: FakeClock;
  readonly readiness: Readiness;
} {
  const clock = new FakeClock();
  return { clock, readiness: new Readiness({ ping, closing, clock, timeoutMs: 2000, pollMs: 5000 }) };
}

describe("readiness", () => {
  it("asks the store once for many askers", async () => {
    let pings = 0;
    const { readiness } = readinessOf(() => Promise.resolve(++pings));
    const reports = await Promise.all([readiness.check(), readiness.check(), readiness.check()]);
    expect(pings).toBe(1);
    expect(reports.every(({ ready }) => ready)).toBe(true);
    await readiness.check();
    expect(pings).toBe(2);
  });

  it("gives up on a store that does not answer, and tells it so", async () => {
    let asked: AbortSignal | undefined;
    const { clock, readiness } = readinessOf((signal) => ((asked = signal), new Promise(() => {})));
    const report = readiness.check();
    await clock.advance(2000);
    expect(await report).toEqual({ ready: false, detail: "the store did not answer within 2000 ms" });
    expect(asked?.aborted).toBe(true);
  });

  it("shows a watcher the changes only", async () => {
    let answer = Promise.resolve(1);
    const { clock, readiness } = readinessOf(() => answer);
    const watch = readiness.watch(new AbortController().signal);
    expect(await watch.next()).toEqual({ done: false, value: true });
    const change = watch.next();
    await clock.settle();
    answer = Promise.reject(new TapeError("STORE_UNAVAILABLE", "gone"));
    answer.catch(() => {});
    await clock.advance(5000);
    expect(await change).toEqual({ done: false, value: false });
  });

  it("ends a watch when the watcher leaves, and when the server stops", async () => {
    const closing = new AbortController();
    const { readiness } = readinessOf(() => Promise.resolve(1), closing.signal);
    const leaving = new AbortController();
    const left = readiness.watch(leaving.signal);
    await left.next();
    const end = left.next();
    leaving.abort();
    expect(await end).toEqual({ done: true, value: undefined });
    const stopped = readiness.watch(new AbortController().signal);
    await stopped.next();
    const last = stopped.next();
    closing.abort();
    expect(await last).toEqual({ done: false, value: false });
    expect((await stopped.next()).done).toBe(true);
  });
});
