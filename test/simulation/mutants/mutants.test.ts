import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allMutants } from "./all-mutants.ts";

describe("bugs to be planted", () => {
  it.each(allMutants)("can be: $name", ({ file, find, replace }) => {
    expect(readFileSync(file, "utf8").split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it("have names of their own", () => {
    const names = allMutants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
