import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { linkLibraries } from "./embedded-postgres.ts";

it("makes the links that npm left out, and does not mind those that are there", () => {
  const root = mkdtempSync(join(tmpdir(), "tape-embedded-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "native", "lib"), { recursive: true });
  writeFileSync(join(root, "native", "lib", "libpq.so.5.18"), "library");
  const links = ["libpq.so", "libpq.so.5"].map((name) => join("native", "lib", name));
  const list = links.map((target) => ({ source: "native/lib/libpq.so.5.18", target }));
  linkLibraries(root);
  writeFileSync(join(root, "native", "pg-symlinks.json"), JSON.stringify(list.slice(1)));
  linkLibraries(root);
  writeFileSync(join(root, "native", "pg-symlinks.json"), JSON.stringify(list));
  linkLibraries(root);
  expect(links.map((link) => readFileSync(join(root, link), "utf8"))).toEqual(["library", "library"]);
});
