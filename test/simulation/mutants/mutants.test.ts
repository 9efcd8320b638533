import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { engineMutants } from "./engine-mutants.ts";
import { ruleMutants } from "./rule-mutants.ts";

describe("bugs to be planted", () => {
  it.each([...engineMutants, ...ruleMutants])("can be: $name", ({ file, find, replace }) => {
    expect(readFileSync(file, "utf8").split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it("have names of their own", () => {
    const names = [...engineMutants, ...ruleMutants].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
