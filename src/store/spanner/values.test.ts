import { describe, expect, it } from "vitest";
import { momentAt, msOf, msOfTimestamp, ResultRow, sortableTimestamp, timestampOf, wire } from "./values.ts";

describe("values on the wire", () => {
  it.each([
    ["a", { stringValue: "a" }],
    [7, { stringValue: "7" }],
    [Number.MAX_SAFE_INTEGER, { stringValue: "9007199254740991" }],
    [new Uint8Array([0, 255]), { stringValue: "AP8=" }],
    [new Uint8Array(0), { stringValue: "" }],
    [null, { nullValue: "NULL_VALUE" }],
  ] as const)("%j", (value, expected) => {
    expect(wire(value)).toEqual(expected);
  });

  it("a part of an array is sent without the rest of it", () => {
    expect(wire(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toEqual({ stringValue: "AgM=" });
  });

  it("come back as what they were, and bytes not as a Buffer", () => {
    const row = new ResultRow(["a", "7", "AP8=", null]);
    expect([row.text(0), row.number(1), row.isNull(2), row.isNull(3)]).toEqual(["a", 7, false, true]);
    expect(row.bytes(2)).toStrictEqual(new Uint8Array([0, 255]));
  });
});

describe("times", () => {
  it.each([0, 1, 999, 1_767_225_600_123])("the beginning of millisecond %d", (ms) => {
    expect(msOf(momentAt(ms))).toBe(ms);
    expect(msOfTimestamp(timestampOf(momentAt(ms)))).toBe(ms);
  });

  it("keep nine digits", () => {
    expect(timestampOf({ seconds: 1_767_225_600, nanos: 1 })).toBe("2026-01-01T00:00:00.000000001Z");
  });

  it.each([
    ["2026-01-01T00:00:00Z", 0, "2026-01-01T00:00:00.000000000"],
    ["2026-01-01T00:00:00.5Z", 500, "2026-01-01T00:00:00.500000000"],
    ["2026-01-01T00:00:00.000999999Z", 0, "2026-01-01T00:00:00.000999999"],
    ["2026-01-01T00:00:00.001Z", 1, "2026-01-01T00:00:00.001000000"],
  ])("%s, whose fraction has as many digits as it needs", (text, ms, sortable) => {
    expect(msOfTimestamp(text)).toBe(1_767_225_600_000 + ms);
    expect(sortableTimestamp(text)).toBe(sortable);
  });
});
