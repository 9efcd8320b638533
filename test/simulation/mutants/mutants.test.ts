import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { areaMutants } from "./area-mutants.ts";
import { engineMutants } from "./engine-mutants.ts";
import { ruleMutants } from "./rule-mutants.ts";

const all = [...engineMutants, ...ruleMutants, ...areaMutants];

describe("bugs to be planted", () => {
  it.each(all)("can be: $name", ({ file, find, replace }) => {
    expect(readFileSync(file, "utf8").split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it("have names of their own", () => {
    const names = all.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
