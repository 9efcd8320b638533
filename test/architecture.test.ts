import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { violations, type SourceFile } from "./architecture-rules.ts";

const source = join(import.meta.dirname, "..", "src");

describe("architecture", () => {
  it("is kept by every file of src", () => {
    const files = sourceFiles();
    expect(files.length).toBeGreaterThan(10);
    expect(violations(files)).toEqual([]);
  });

  it.each([
    [
      "a rule that asks the store",
      "journal/decide.ts",
      'import { x } from "../store/store.ts";',
      "journal may not import port",
    ],
    [
      "an engine that knows an adapter",
      "engine/engine.ts",
      'import { x } from "../store/sqlite/store.ts";',
      "engine may not import adapter",
    ],
    [
      "also by type",
      "engine/engine.ts",
      'import type { X } from "../store/sqlite/store.ts";',
      "engine may not import adapter",
    ],
    ["also lazily", "engine/engine.ts", 'await import("../store/sqlite/store.ts");', "engine may not import adapter"],
    [
      "also by export",
      "engine/engine.ts",
      'export * from "../store/sqlite/store.ts";',
      "engine may not import adapter",
    ],
    [
      "over several lines",
      "model/run.ts",
      'import {\n  a,\n  b,\n} from "../codec/head.ts";',
      "model may not import codec",
    ],
    ["an adapter that knows another", "store/sqlite/a.ts", 'import "../postgres/b.ts";', "of another adapter"],
    [
      "an adapter that knows the engine",
      "store/sqlite/a.ts",
      'import { x } from "../../engine/engine.ts";',
      "adapter may not import engine",
    ],
    [
      "a second file that chooses a store",
      "server/server.ts",
      'import { x } from "../store/memory/store.ts";',
      "server may not import adapter",
    ],
    [
      "a client that knows the engine",
      "client/client.ts",
      'import { x } from "../engine/engine.ts";',
      "client may not import engine",
    ],
    [
      "a suite that knows an adapter",
      "testing/suite.ts",
      'import { x } from "../store/sqlite/a.ts";',
      "imports the adapter",
    ],
    [
      "a driver outside its adapter",
      "server/server.ts",
      'await import("@photostructure/sqlite");',
      "which is for adapter",
    ],
    [
      "a driver loaded at once",
      "store/sqlite/a.ts",
      'import { DatabaseSync } from "@photostructure/sqlite";',
      "import() it",
    ],
    ["a package that nobody agreed on", "server/server.ts", 'import express from "express";', "which no part may"],
    ["Node inside the rules", "journal/decide.ts", 'import { readFileSync } from "node:fs";', "journal knows no Node"],
    ["Node in a browser", "client/browser.ts", 'import { connect } from "node:http2";', "in a browser"],
    ["a global of Node in a browser", "client/browser.ts", "Buffer.from([1]);", "a global of Node in a browser"],
    ["the environment read elsewhere", "engine/engine.ts", "const home = process.env;", "reads the environment"],
    ["a second error class", "engine/engine.ts", "class Bad extends Error {}", "the one error class"],
    ["a name that says nothing", "engine/utils.ts", "", "says nothing"],
    ["a folder that says nothing", "common/engine.ts", "", "says nothing"],
    ["a name in another case", "engine/rowCache.ts", "", "kebab-case"],
    ["a file too long", "engine/engine.ts", "\n".repeat(401), "401 lines"],
    ["a part that nobody drew", "plugins/a.ts", 'import { x } from "../errors.ts";', "no part of the architecture"],
    ["a test that is used", "engine/engine.ts", 'import { x } from "./a.test.ts";', "imports the test"],
  ])("catches %s", (_what, path, text, fault) => {
    expect(violations([{ path, text }])).toEqual([expect.stringContaining(fault)]);
  });

  it("follows the client's imports into other folders, but not what is loaded lazily", () => {
    const entry = { path: "client/browser.ts", text: 'export * from "./client.ts";' };
    const client = { path: "client/client.ts", text: 'import { x } from "../rpc/x.ts";\nawait import("./node.ts");' };
    const node = { path: "client/node.ts", text: 'import { connect } from "node:http2";' };
    const bad = { path: "rpc/x.ts", text: "process.exit();" };
    expect(violations([entry, client, node, bad])).toEqual(["rpc/x.ts uses a global of Node in a browser"]);
  });

  it("reads no rule into comments", () => {
    const text = '// class A extends Error {}\n/* import "../engine/engine.ts"; process.env */\n';
    expect(violations([{ path: "model/run.ts", text }])).toEqual([]);
  });
});

function sourceFiles(): SourceFile[] {
  return readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(source, path), text: readFileSync(path, "utf8") }))
    .filter((file) => !file.path.startsWith("rpc/gen/"));
}
