import { describe, expect, it } from "vitest";
import type { RowId } from "../model/row.ts";
import { TimedFeedPage } from "./feed-page.ts";
import { placeIn } from "./feed-position.ts";
import type { FeedEntry } from "./store.ts";

const ms = Date.UTC(2026, 0, 1);
const entry = (row: string, seq: number): Omit<FeedEntry, "position"> => ({
  row: row as RowId,
  seq,
  kind: "k",
  ref: "",
  dims: "",
  meta: "{}",
  at: 0,
  trace: "",
});
const names = (page: TimedFeedPage): readonly string[] => page.entries.map(({ row, seq }) => `${row}:${seq}`);

describe("a page of a feed by time", () => {
  it("counts places through commits of one millisecond, and begins anew in the next", () => {
    const page = new TimedFeedPage({ after: 0, limit: 10 });
    page.add(ms, [entry("a", 1), entry("a", 2)]);
    page.add(ms, [entry("b", 1)]);
    page.add(ms + 1, [entry("c", 1)]);
    const first = placeIn(ms, 0);
    expect(page.entries.map(({ position }) => position - first)).toEqual([0, 1, 2, 4096]);
    expect(page.next).toBe(first + 4096);
  });

  it("keeps the places of entries that have gone, and goes past them", () => {
    const page = new TimedFeedPage({ after: 0, limit: 10 });
    page.add(ms, [undefined, entry("a", 2)]);
    page.add(ms, [undefined]);
    expect(names(page)).toEqual(["a:2"]);
    expect(page.entries[0]?.position).toBe(placeIn(ms, 0) + 1);
    expect(page.next).toBe(placeIn(ms, 0) + 2);
  });

  it("gives what is behind the cursor only, and no more than it may hold", () => {
    const after = placeIn(ms, 0);
    const page = new TimedFeedPage({ after, limit: 2 });
    page.add(ms, [entry("a", 1), entry("a", 2), entry("a", 3), entry("a", 4)]);
    expect(names(page)).toEqual(["a:2", "a:3"]);
    expect(page.isFull).toBe(true);
    expect(page.next).toBe(after + 2);
  });

  it("moves on to the next millisecond's places where one is full, whoever counts", () => {
    const many = Array.from({ length: 5000 }, (_, i) => entry("a", i + 1));
    const whole = new TimedFeedPage({ after: 0, limit: 9999 });
    whole.add(ms, many);
    whole.add(ms + 1, [entry("b", 1)]);
    const positions = whole.entries.map(({ position }) => position);
    expect(positions.at(-1)).toBe((positions.at(-2) ?? 0) + 1);
    const rest = new TimedFeedPage({ after: positions.at(-2) ?? 0, limit: 9 });
    expect(rest.mayHold(ms, many.length)).toBe(true);
    rest.add(ms, many);
    rest.add(ms + 1, [entry("b", 1)]);
    expect(rest.entries).toEqual(whole.entries.slice(-1));
    expect(rest.mayHold(ms - 1000, 1)).toBe(false);
  });
});
