import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partitionOf, runRow, taskIdOf } from "../../codec/row-id.ts";
import type { RowId } from "../../model/row.ts";
import { Debounce, shardOf, type Waiting } from "./match.ts";

const row = (name: string): RowId => runRow(partitionOf(""), name);

describe("shards", () => {
  it("of an entry's source are the same on every server for ever, and spread evenly", () => {
    expect(["run-a", "run-b", "run-c", "run-d"].map((name) => shardOf(row(name), 7))).toEqual([0, 1, 6, 6]);
    expect(shardOf(row("run-a"), 1)).toBe(0);
    const shards = Array.from({ length: 4000 }, (_, i) => shardOf(row(`run-${i}`), 4));
    for (const shard of [0, 1, 2, 3]) expect(shards.filter((one) => one === shard).length).toBeGreaterThan(850);
  });
});

describe("the id of a task", () => {
  it("is of its reaction and its entry, and of nothing else", () => {
    expect(taskIdOf("r", row("a"), 1)).toBe("task-2x6vk39n3nmk2gfe4fzmnerc");
    const others = [taskIdOf("s", row("a"), 1), taskIdOf("r", row("b"), 1), taskIdOf("r", row("a"), 2)];
    expect(new Set([taskIdOf("r", row("a"), 1), ...others]).size).toBe(4);
  });
});

const debounceMs = 100;
const feeds = fc
  .array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom(0, 1, 40, 99, 100, 101, 300)), { maxLength: 30 })
  .map((steps) => {
    let atMs = 1000;
    return steps.map(([source, pause], i) => {
      atMs += pause;
      return { source: row(source), position: i + 1, atMs };
    });
  });

/** What the rule says of a feed, without doing it step by step. */
const lastOfBursts = (feed: readonly (Waiting & { readonly source: RowId })[]): number[] =>
  feed
    .filter(
      (entry, i) =>
        !feed.slice(i + 1).some((later) => later.source === entry.source && later.atMs - entry.atMs < debounceMs),
    )
    .map(({ position }) => position);

describe("a debounce", () => {
  it("leaves the last entries of bursts, whatever the pages and pauses in which the feed is read (R70)", () => {
    fc.assert(
      fc.property(feeds, fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), (feed, looks) => {
        const debounce = new Debounce();
        const settled: Waiting[] = [];
        for (const [i, { source, position, atMs }] of feed.entries()) {
          const before = debounce.add(source, { position, atMs }, debounceMs);
          if (before !== undefined) settled.push(before);
          if (looks[i] === true) settled.push(...debounce.take(atMs, debounceMs));
          const open = feed.slice(0, i + 1).filter((entry) => !settled.some((one) => one.position === entry.position));
          assert.ok(debounce.oldest === undefined || open.some((entry) => entry.position === debounce.oldest));
        }
        settled.push(...debounce.take(Infinity, debounceMs));
        assert.equal(debounce.size, 0);
        assert.deepEqual(
          settled.map(({ position }) => position).toSorted((a, b) => a - b),
          lastOfBursts(feed),
        );
      }),
    );
  });

  it("says until when it waits, and behind what everything is settled", () => {
    const debounce = new Debounce();
    expect([debounce.oldest, debounce.dueMs(debounceMs)]).toEqual([undefined, undefined]);
    debounce.add(row("a"), { position: 5, atMs: 1000 }, debounceMs);
    debounce.add(row("b"), { position: 6, atMs: 1010 }, debounceMs);
    expect([debounce.oldest, debounce.dueMs(debounceMs)]).toEqual([5, 1100]);
    expect(debounce.take(1099, debounceMs)).toEqual([]);
    expect(debounce.take(1100, debounceMs)).toEqual([{ position: 5, atMs: 1000 }]);
    expect(debounce.oldest).toBe(6);
  });
});
