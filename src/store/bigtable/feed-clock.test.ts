import { describe, expect, it } from "vitest";
import { FeedClock } from "./feed-clock.ts";
import { msOfPosition, placeIn } from "../feed-position.ts";

describe("the clock of feed keys", () => {
  it("goes with the machine's, and stays where it was when that falls back", () => {
    let now = 1000;
    const clock = new FeedClock(() => now);
    expect(clock.take(0, 1)).toBe(1000);
    now = 900;
    expect(clock.take(0, 1)).toBe(1000);
    now = 1100;
    expect(clock.take(0, 1)).toBe(1100);
  });

  it("gives what follows an answer a later time, and a row a later one each time", () => {
    const clock = new FeedClock(() => 1000);
    const first = clock.take(0, 1);
    expect(clock.take(0, 1)).toBe(first);
    clock.acknowledged(first);
    expect(clock.take(0, 1)).toBe(first + 1);
    expect(clock.take(5000, 1)).toBe(5001);
  });

  it("lets no more than a quarter of a millisecond's places be taken by one server", () => {
    const clock = new FeedClock(() => 1000);
    expect([clock.take(0, 1000), clock.take(0, 24), clock.take(0, 1)]).toEqual([1000, 1000, 1001]);
    // One that is larger by itself gets a millisecond of its own.
    expect([clock.take(0, 4096), clock.take(0, 1)]).toEqual([1002, 1003]);
  });
});

describe("positions of the feed", () => {
  it("begin with the millisecond, go on without a gap, and move on where a millisecond is full", () => {
    const ms = Date.UTC(2026, 0, 1);
    const first = placeIn(ms, 0);
    expect(msOfPosition(first)).toBe(ms);
    expect(placeIn(ms, first)).toBe(first + 1);
    expect(placeIn(ms + 1, first)).toBe(first + 4096);
    expect(placeIn(ms + 1, first + 5000)).toBe(first + 5001);
  });

  it("stay above 0 and below 2^53 for some time", () => {
    expect(placeIn(Date.UTC(2025, 0, 1), 0)).toBe(1);
    expect(Number.isSafeInteger(placeIn(Date.UTC(2090, 0, 1), 0))).toBe(true);
  });
});
