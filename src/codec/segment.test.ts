import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256 } from "./hash.ts";
import { keySegment, percentEncode, subjectSegment } from "./segment.ts";

/** Names that people and attackers come up with. */
const names = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 40 }).filter((text) => text.isWellFormed()) },
  {
    weight: 3,
    arbitrary: fc.string({ unit: fc.constantFrom("/", "%", "~", "_", "a", "2", "F", ".", "é"), maxLength: 6 }),
  },
  fc.string({ unit: fc.constantFrom("a", "b", "~", "%", "€"), minLength: 50, maxLength: 400 }),
);

describe("a segment of a row id", () => {
  it("is never that of another name", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(names, (name) => {
        const segment = keySegment(name, sha256);
        expect(seen.get(segment) ?? name).toBe(name);
        seen.set(segment, name);
      }),
      { numRuns: 2000 },
    );
  });

  it("is printable ASCII without a slash, and short", () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(keySegment(name, sha256)).toMatch(/^[\x21-\x2e\x30-\x7e]{1,160}$/);
      }),
    );
  });

  it.each([
    ["", "~"],
    ["~", "%7E"],
    ["_", "_"],
    ["a/b", "a%2Fb"],
    ["100%", "100%25"],
    ["%2F", "%252F"],
    ["!'()*", "%21%27%28%29%2A"],
    ["é", "%C3%A9"],
    [".", "."],
    ["a".repeat(160), "a".repeat(160)],
    ["a".repeat(161), `${"a".repeat(100)}~${sha256("a".repeat(161))}`],
  ])("of %j is %s", (name, segment) => {
    expect(keySegment(name, sha256)).toBe(segment);
  });

  it("tells apart long names that differ in their last letter only", () => {
    expect(keySegment(`${"é".repeat(300)}a`, sha256)).not.toBe(keySegment(`${"é".repeat(300)}b`, sha256));
  });
});

describe("a segment of a subject (R52)", () => {
  it("is never that of another name, and can be decoded", () => {
    fc.assert(
      fc.property(names, (name) => {
        const segment = subjectSegment(name);
        expect(segment).toMatch(/^[\x21-\x2e\x30-\x7e]+$/);
        expect(segment === "_" ? "" : decodeURIComponent(segment)).toBe(name);
      }),
    );
  });

  it.each([
    ["", "_"],
    ["_", "%5F"],
    ["__", "__"],
    ["a/b", "a%2Fb"],
    ["**", "%2A%2A"],
    ["~", "~"],
  ])("of %j is %s", (name, segment) => {
    expect(subjectSegment(name)).toBe(segment);
  });
});

describe("percent-encoding", () => {
  it("leaves what RFC 3986 calls unreserved, and nothing else", () => {
    const all = Array.from({ length: 128 }, (_, code) => String.fromCodePoint(code));
    expect(all.filter((character) => percentEncode(character) === character).join("")).toBe(
      "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~",
    );
  });
});
