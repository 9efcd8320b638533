import { describe, expect, it } from "vitest";
import { compare } from "./verdict.ts";

const kinds = (expected: readonly string[], found: readonly string[]): readonly string[] =>
  compare(expected, found).map(({ kind }) => kind);

describe("compare", () => {
  it("finds nothing wrong with the same facts in another order", () => {
    expect(kinds(["entry: a", "entry: a", "state: b"], ["state: b", "entry: a", "entry: a"])).toEqual([]);
  });

  it("calls a missing entry lost, and one too many duplicated", () => {
    expect(kinds(["entry: a", "entry: b"], ["entry: a"])).toEqual(["lost"]);
    expect(kinds(["entry: a"], ["entry: a", "entry: a"])).toEqual(["duplicated"]);
  });

  it("calls a state that differs lost, unless an entry says that a write counted twice", () => {
    expect(kinds(["entry: a", "state: spent 7"], ["entry: a", "state: spent 0"])).toEqual(["lost"]);
    expect(kinds(["entry: a", "state: spent 7"], ["entry: a", "entry: a", "state: spent 14"])).toEqual(["duplicated"]);
  });
});
