import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HeldBack } from "./held-back.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("looks once for all who ask meanwhile", () => {
  const look = vi.fn<() => void>();
  const held = new HeldBack(look);
  held.lookAgain();
  held.lookAgain();
  vi.advanceTimersByTime(1000);
  expect(look).toHaveBeenCalledTimes(1);
});

it("pauses twice as long each time, half a second at most, and starts anew when the feed went on", () => {
  const pauses: number[] = [];
  let since = Date.now();
  const held = new HeldBack(() => {
    pauses.push(Date.now() - since);
    since = Date.now();
    if (pauses.length === 9) held.reset();
    if (pauses.length < 11) held.lookAgain();
  });
  held.lookAgain();
  vi.runAllTimers();
  expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 320, 500, 500, 5, 10]);
});

it("a reader for whom the feed goes on does not take the look from one who waits for it", () => {
  const look = vi.fn<() => void>();
  const held = new HeldBack(look);
  held.lookAgain();
  held.reset();
  vi.advanceTimersByTime(5);
  expect(look).toHaveBeenCalledTimes(1);
});
