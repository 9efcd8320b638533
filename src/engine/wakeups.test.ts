import { describe, expect, it } from "vitest";
import { isSettled } from "../../test/engine/scripted-store.ts";
import type { RowId } from "../model/row.ts";
import { Wakeups } from "./wakeups.ts";

const row = "~/run/r" as RowId;
const other = "~/run/other" as RowId;

function listening(on: RowId | null) {
  const wakeups = new Wakeups(() => {});
  const caller = new AbortController();
  const listener = wakeups.listen(on, caller.signal);
  const wait = (): Promise<void> => listener.wait();
  const stop = (): void => {
    listener.stop();
  };
  return { wakeups, caller, wait, stop };
}

describe("a waiter", () => {
  it("on a row hears of that row's commits only", async () => {
    const { wakeups, wait } = listening(row);
    const waiting = wait();
    wakeups.committed(other, true);
    expect(await isSettled(waiting)).toBe(false);
    wakeups.committed(row, true);
    expect(await isSettled(waiting)).toBe(true);
    expect(wakeups.waiters).toBe(0);
  });

  it("on the feed hears of every commit", async () => {
    const { wakeups, wait } = listening(null);
    const waiting = wait();
    wakeups.committed(other, true);
    expect(await isSettled(waiting)).toBe(true);
  });

  it("hears of a commit between its first look and its wait", async () => {
    const { wakeups, wait } = listening(row);
    wakeups.committed(row, true);
    expect(await isSettled(wait())).toBe(true);
  });

  it.each([[row], [null]])("on %s hears that something may have been committed elsewhere", async (on) => {
    const { wakeups, wait } = listening(on);
    const waiting = wait();
    wakeups.all();
    expect(await isSettled(waiting)).toBe(true);
  });

  it("ends when its caller leaves, before or while it waits", async () => {
    const { wakeups, caller, wait } = listening(row);
    const waiting = wait();
    caller.abort();
    expect(await isSettled(waiting)).toBe(true);
    expect(wakeups.waiters).toBe(0);
    expect(await isSettled(wakeups.listen(null, caller.signal).wait())).toBe(true);
    expect(wakeups.waiters).toBe(0);
  });

  it("that stops leaves nothing behind", () => {
    const { wakeups, stop } = listening(row);
    expect(wakeups.waiters).toBe(1);
    stop();
    stop();
    expect(wakeups.waiters).toBe(0);
  });

  it("is one of many, who all hear", async () => {
    const wakeups = new Wakeups(() => {});
    const { signal } = new AbortController();
    const all = [row, row, null, row].map((on) => wakeups.listen(on, signal).wait());
    wakeups.committed(row, true);
    expect(await isSettled(Promise.all(all))).toBe(true);
  });
});

it("whoever passes hints on is told of every new waiter", () => {
  let told = 0;
  const wakeups = new Wakeups(() => {
    told += 1;
  });
  const { signal } = new AbortController();
  wakeups.listen(row, signal).stop();
  wakeups.listen(null, signal).stop();
  expect(told).toBe(2);
});
