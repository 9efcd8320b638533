import { afterEach, expect, it, vi } from "vitest";
import { SteadyTime } from "./steady-time.ts";

afterEach(() => vi.useRealTimers());

it("goes on with the clock, but not while the process stands still", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const time = new SteadyTime(1000);
  vi.advanceTimersByTime(1000);
  expect([time.now, time.read(), time.now]).toEqual([0, 1000, 1000]);
  vi.advanceTimersByTime(1500);
  expect(time.read()).toBe(2500);
  vi.advanceTimersByTime(60_000);
  expect(time.read()).toBe(4500);
});
