import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newestFirstKey, timeKey, timeOfKey } from "./time-key.ts";

const times = fc.oneof(
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(0, 1, 999, 1_000_000, Date.UTC(2026, 0, 1), Number.MAX_SAFE_INTEGER),
  // Of every length: those that have a short way must have the same width.
  fc.integer({ min: 0, max: 15 }).chain((digits) => fc.integer({ min: 10 ** digits - 1, max: 10 ** digits + 1 })),
);
const sign = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

describe("time keys", () => {
  it("have the order of their times, and the other way round newest first", () => {
    fc.assert(
      fc.property(times, times, (a, b) => {
        expect(sign(timeKey(a), timeKey(b))).toBe(sign(a, b));
        expect(sign(newestFirstKey(a), newestFirstKey(b))).toBe(sign(b, a));
      }),
    );
  });

  it("give their time back, also with something behind it", () => {
    fc.assert(
      fc.property(times, (ms) => {
        expect(timeOfKey(timeKey(ms))).toBe(ms);
        expect(timeOfKey(`${timeKey(ms)}/more`)).toBe(ms);
      }),
    );
    expect(timeOfKey("no time at all..")).toBeNaN();
  });

  it("take times before 1970 for the first", () => {
    expect(timeKey(-1)).toBe("0000000000000000");
  });
});
