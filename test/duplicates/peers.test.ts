import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import lock from "../../bench/duplicates/peers/package-lock.json" with { type: "json" };
import manifest from "../../bench/duplicates/peers/package.json" with { type: "json" };
import own from "../../package.json" with { type: "json" };

const page = readFileSync(new URL("../../docs/proof/duplicates.md", import.meta.url), "utf8");

describe("the systems that the duplicate benchmark compares Tape with", () => {
  it.each(Object.entries(manifest.dependencies))("%s is pinned exactly, as in the lock file", (name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lock.packages).toHaveProperty([`node_modules/${name}`, "version"], version);
  });

  it("are no dependency of Tape", () => {
    const dependencies = Object.keys({ ...own.dependencies, ...own.devDependencies, ...own.peerDependencies });
    expect(Object.keys(manifest.dependencies).filter((name) => dependencies.includes(name))).toEqual([]);
  });

  it("were measured in the versions that are installed", () => {
    const { "@restatedev/restate-server": restate, "@dbos-inc/dbos-sdk": dbos } = manifest.dependencies;
    expect(page).toContain(`Restate ${restate}`);
    expect(page).toContain(`DBOS ${dbos}`);
    expect(page).toContain(`LangGraph ${manifest.dependencies["@langchain/langgraph"]}`);
  });
});
