import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Ripening } from "./ripening.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("looks once, at the earliest time that was asked for, and again when asked again", () => {
  const look = vi.fn<() => void>();
  const ripening = new Ripening(look);
  ripening.lookAgain(100);
  ripening.lookAgain(30);
  ripening.lookAgain(200);
  vi.advanceTimersByTime(29);
  expect(look).toHaveBeenCalledTimes(0);
  vi.advanceTimersByTime(300);
  expect(look).toHaveBeenCalledTimes(1);
  ripening.lookAgain(0.2);
  vi.advanceTimersByTime(1);
  expect(look).toHaveBeenCalledTimes(2);
});

it("looks no more when it was stopped", () => {
  const look = vi.fn<() => void>();
  const ripening = new Ripening(look);
  ripening.lookAgain(10);
  ripening.stop();
  vi.advanceTimersByTime(100);
  expect(look).not.toHaveBeenCalled();
});
