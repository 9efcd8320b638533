import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { checks } from "../../src/cli/doctor/check-ids.ts";

const pages = ["docs/doctor.md", "docs/doctor/gcp.md"];
const root = new URL("../../", import.meta.url);

it("every check has a heading in the docs, and every such heading is a check", async () => {
  const headings: string[] = [];
  for (const page of pages) {
    const text = await readFile(new URL(page, root), "utf8");
    headings.push(...[...text.matchAll(/^### (\S+)$/gm)].map((match) => match[1] ?? ""));
  }
  expect(headings.toSorted()).toEqual(Object.keys(checks).toSorted());
});

it("ids are an area and what is checked; each asks a question", () => {
  for (const [id, asks] of Object.entries(checks)) {
    expect(id).toMatch(/^[a-z]+(\.[a-z0-9]+)+$/);
    expect(asks).toMatch(/^[A-Z].*\?$/);
  }
});
