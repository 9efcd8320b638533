import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { subjectSegment } from "./segment.ts";
import { compileSubjectPattern } from "./subject-pattern.ts";

const subject = "/tape/effect/pending/wire%2Fmoney/run-1";

describe("a subject pattern (R52)", () => {
  it.each([
    ["", true],
    [subject, true],
    ["/**", true],
    ["/tape/**", true],
    ["/tape/effect/**", true],
    ["/tape/effect/pending/*/run-1", true],
    ["/*/*/*/*/*", true],
    ["/tape/*/*/wire%2Fmoney/**", true],
    [`${subject}/**`, true],
    ["/*/*/*/*", false],
    ["/*/*/*/*/*/*", false],
    ["/*/*/*/*/*/*/**", false],
    ["/tape/effect", false],
    ["/tape/effect/confirmed/**", false],
    ["/tape/effect/pending/wire/money/run-1", false],
    ["/tape/effect/pending/wire%2fmoney/run-1", false],
    ["/tape/decision/**", false],
    [`${subject}/more`, false],
  ])("%j: %s", (pattern, matches) => {
    expect(compileSubjectPattern(pattern)(subject)).toBe(matches);
  });

  it.each([
    ["tape/**", "start with /"],
    ["/tape/**/run-1", "at its end only"],
    ["/**/**", "at its end only"],
    ["/tape//run-1", "empty segment"],
    ["/tape/", "empty segment"],
    ["/", "empty segment"],
    ["/tape/eff*", "only as a whole segment"],
    ["/tape/***", "only as a whole segment"],
  ])("%j is refused: it %s", (pattern, why) => {
    expect(() => compileSubjectPattern(pattern)).toThrow(why);
  });

  it("takes no name for a wildcard: the segment of any name matches that name alone", () => {
    const names = fc.string({ unit: fc.constantFrom("*", "a", "/", "%", "_", "é"), maxLength: 3 });
    fc.assert(
      fc.property(names, names, (wanted, name) => {
        const matches = compileSubjectPattern(`/tape/${subjectSegment(wanted)}/x`);
        expect(matches(`/tape/${subjectSegment(name)}/x`)).toBe(wanted === name);
      }),
    );
  });

  it("matches only whole segments, as many as there are", () => {
    const parts = fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 4 });
    const subjects = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(parts, fc.boolean(), subjects, (wanted, open, segments) => {
        const pattern = `/${wanted.join("/")}${open ? "/**" : ""}`;
        const regular = new RegExp(`^/${wanted.join("/").replaceAll("*", "[^/]+")}${open ? "(/.*)?" : ""}$`);
        const text = `/${segments.join("/")}`;
        expect(compileSubjectPattern(pattern)(text)).toBe(regular.test(text));
      }),
    );
  });
});
