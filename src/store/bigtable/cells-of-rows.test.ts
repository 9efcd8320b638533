import { describe, expect, it } from "vitest";
import type { RowId } from "../../model/row.ts";
import { entry } from "../../testing/test-store/material.ts";
import { decodeAnnouncement, encodeAnnouncement } from "./announcement.ts";
import { decodeEntry, encodeEntry } from "./entry-cell.ts";
import { decodeMark, encodeMark, noMark } from "./row-mark.ts";

const row = "p/run/a" as RowId;
const cell = (text: string): Buffer => Buffer.from(text, "utf8");

describe("the mark of a row", () => {
  const mark = { version: 7, fence: 2, commitId: "k3_-", feedMs: 1_800_000_000_000, bytes: 12_345, lastSeq: 9 };

  it("comes back as it was, and to the byte", () => {
    for (const one of [mark, noMark, { ...noMark, fence: 1 }]) {
      expect(decodeMark(cell(encodeMark(one)), row)).toEqual(one);
      expect(encodeMark(decodeMark(cell(encodeMark(one)), row))).toBe(encodeMark(one));
    }
    expect(encodeMark(mark)).toBe("t1 7.2 k3_- 1800000000000 12345 9");
  });

  it("that is damaged or of a newer Tape is refused, naming the row", () => {
    for (const text of ["", "t1", "t1 7.2 k 1 2", "t1 7 k 1 2 3", "t1 a.b k 1 2 3"]) {
      expect(() => decodeMark(cell(text), row)).toThrow(/row p\/run\/a cannot be read/);
    }
    expect(() => decodeMark(cell("t2 7.2 k 1 2 3"), row)).toThrow(expect.objectContaining({ reason: "FORMAT_NEWER" }));
  });
});

describe("the cell of an entry", () => {
  it("comes back as it was, with meta to the byte", () => {
    for (const meta of ['{"n":1}', "{}", '{"text":"a\\nb \u2028 ü"}', ""]) {
      const written = entry(3, { meta, ref: "e/line\nfeed\u0000", dims: "a/b" });
      const found = decodeEntry(cell(encodeEntry(written, "c1", 17, { bytes: 4 })), row, 3);
      expect(found).toEqual({ entry: { ...written, commitId: "c1", position: 0 }, body: { bytes: 4 }, feedMs: 17 });
    }
  });

  it("that is damaged or of a newer Tape is refused, naming row and entry", () => {
    const whole = encodeEntry(entry(3), "c1", 17, undefined);
    for (const text of ["", "\n", "{}\n{}", whole.slice(0, 20), whole.replace('"at":', '"ta":'), "null\n"]) {
      expect(() => decodeEntry(cell(text), row, 3)).toThrow(/row p\/run\/a cannot be read: its entry 3/);
    }
    const newer = whole.replace('"format":1', '"format":2');
    expect(() => decodeEntry(cell(newer), row, 3)).toThrow(expect.objectContaining({ reason: "FORMAT_NEWER" }));
  });
});

it("an announcement comes back as it was; a damaged one is none", () => {
  const one = { version: 3, fence: 0, first: 12, count: 4 };
  expect(decodeAnnouncement(cell(encodeAnnouncement(one)))).toEqual(one);
  for (const text of ["", "a1 3 12 4", "a2 3.0 12 4", "a1 3.0 12 4 "]) {
    expect(decodeAnnouncement(cell(text))).toBeUndefined();
  }
});
