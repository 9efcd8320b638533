import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };

const page = readFileSync(join(import.meta.dirname, "..", "docs", "dependencies.md"), "utf8");
const dependencies: Record<string, string> = { ...manifest.dependencies, ...manifest.devDependencies };

describe("dependencies", () => {
  it("have a reason each in docs/dependencies.md, and no other package has", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const named = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1]));
    expect(new Set(named)).toEqual(new Set(Object.keys(dependencies)));
  });

  it.each(Object.entries(dependencies))("%s is pinned exactly", (_name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+(?:-beta\.\d+)?$/);
  });
});
