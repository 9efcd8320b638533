import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RowId } from "../../model/row.ts";
import { entryColumn, Keys, seqOfColumn, shards, type KeyRange } from "./keys.ts";

const keys = new Keys("");
/** Everything the port lets a name hold, with the characters that mean something here more often than others. */
const name = fc.oneof(
  fc.string({ unit: fc.constantFrom("#", "$", "!", '"', " ", "a", "/", "%"), maxLength: 6 }),
  fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 12 }),
);
const row = fc
  .string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 9,
  })
  .map((text) => text as RowId);

const holds = ({ start, end, afterStart = false }: KeyRange, key: string): boolean =>
  (afterStart ? key > start : key >= start) && key < end;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

describe("names of rows", () => {
  it("give back what they were made of", () => {
    fc.assert(
      fc.property(name, name, row, fc.nat(), (index, key, of, ms) => {
        expect(keys.parseIndex(keys.index(index, key, of))).toEqual({ key, row: of });
        const feed = { ms, row: of, commitId: "a-commit_1" };
        expect(keys.parseFeed(keys.feed(feed))).toEqual(feed);
      }),
    );
  });

  it("of two different things are never the same", () => {
    fc.assert(
      fc.property(fc.tuple(name, name, row), fc.tuple(name, name, row), (a, b) => {
        const same = a.every((part, i) => part === b[i]);
        expect(keys.index(...a) === keys.index(...b)).toBe(same);
      }),
    );
  });

  it("of an index are in its range, in the order of keys and rows, and those of no other index are", () => {
    fc.assert(
      fc.property(name, name, fc.array(fc.tuple(name, row), { minLength: 2, maxLength: 6 }), (index, other, items) => {
        for (const shard of shards) {
          const range = keys.indexRange(shard, index, "", undefined);
          const made = items.map(([key, of]) => keys.indexItem(shard, index, key, of));
          for (const one of made) expect(holds(range, one)).toBe(true);
          const theirs = items.map(([key, of]) => holds(range, keys.indexItem(shard, other, key, of)));
          expect(theirs).toEqual(items.map(() => other === index));
          const wanted = items.toSorted((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
          expect(made.toSorted(compare)).toEqual(wanted.map(([key, of]) => keys.indexItem(shard, index, key, of)));
        }
      }),
    );
  });

  it("are in a range of keys when their keys are", () => {
    fc.assert(
      fc.property(name, name, name, row, (from, to, key, of) => {
        const range = keys.indexRange("0", "i", from, to);
        expect(holds(range, keys.indexItem("0", "i", key, of))).toBe(key >= from && key < to);
      }),
    );
  });

  it("of the feed sort by time, then by row", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), row, row, (ms, otherMs, of, other) => {
        const [a, b] = [
          keys.feed({ ms, row: of, commitId: "c" }),
          keys.feed({ ms: otherMs, row: other, commitId: "c" }),
        ];
        expect(compare(keys.order(a), keys.order(b))).toBe(Math.sign(ms - otherMs) || compare(of, other));
      }),
    );
  });

  it("of a journal with a prefix are in no range of one with another", () => {
    const prefixes = ["", "r", "x", "f", "a", "a.b", "x#0".replaceAll("#", "-")];
    for (const prefix of prefixes) {
      const mine = new Keys(prefix);
      for (const other of prefixes.filter((one) => one !== prefix).map((one) => new Keys(one))) {
        for (const shard of shards) {
          const ranges = [mine.indexRange(shard, "i", "", undefined), mine.feedRange(shard, 0)];
          const theirs = [
            other.indexItem(shard, "i", "k", "r" as RowId),
            other.feed({ ms: 1, row: "r" as RowId, commitId: "c" }),
            other.row("r" as RowId),
            other.meta,
          ];
          for (const range of ranges) for (const one of theirs) expect(holds(range, one)).toBe(false);
        }
        expect(mine.row("a" as RowId)).not.toBe(other.row("a" as RowId));
        expect(mine.meta).not.toBe(other.meta);
      }
    }
  });
});

it("columns of entries sort as their numbers do, and give them back", () => {
  const seqs = [1, 9, 10, 99, 1000, 4_294_967_296, 9_999_999_999];
  expect(seqs.map(entryColumn).toSorted(compare)).toEqual(seqs.map(entryColumn));
  expect(seqs.map((seq) => seqOfColumn(entryColumn(seq)))).toEqual(seqs);
});
