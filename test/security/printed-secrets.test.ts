import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepLog, logFolderVariable } from "../kept-logs.ts";
import { leaksIn } from "../search-logs.ts";
import { canary, secretsIn } from "../secrets.ts";

const root = join(import.meta.dirname, "../..");
const secret = canary("planted");

/** Processes whose output is no business of Tape's, and why. */
const unkept: Readonly<Record<string, string>> = {
  "test/build-dist.ts": "the compiler, whose output is ignored",
  "bench/duplicates/agent-process.ts": "an agent of a benchmark, most of them on other systems",
  "bench/duplicates/systems/restate.ts": "another system",
  "test/emulators/emulator.ts": "an emulator of Google's",
  "test/doctor/gcp/spanner-gateway.ts": "an emulator of Google's",
  "test/postgres/server-process.ts": "a database; what it logs of statements is its own matter",
  "test/postgres/server-folder.ts": "a shell that removes a folder",
  "test/postgres/server-folder.test.ts": "the same, tested",
};

let folder: string;
let runFolder: string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tape-planted-"));
  // What is planted here must not be found in the logs of the run that this test is part of.
  runFolder = process.env[logFolderVariable];
  process.env[logFolderVariable] = folder;
});

afterEach(() => {
  if (runFolder === undefined) delete process.env[logFolderVariable];
  else process.env[logFolderVariable] = runFolder;
  rmSync(folder, { recursive: true });
});

describe("a secret that is printed", () => {
  it("by a process of a test is found at the end of the run, and named but not shown", async () => {
    const code = `console.log("fine"); console.error("oh: ${secret}")`;
    const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "pipe"] });
    keepLog(child, "/somewhere/planted.ts");
    await once(child, "close");
    const [leak = "", ...more] = leaksIn(folder);
    expect(leak).toMatch(/^planted\.ts-\d+\.log, line [12]: planted$/);
    expect(more).toEqual([]);
    expect(leak).not.toContain(secret);
  });

  it("in the last line of many is found", () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "a.log"), `${"nothing\n".repeat(9999)}${secret}`);
    writeFileSync(join(folder, "b.log"), "nothing\n");
    expect(leaksIn(folder)).toEqual(["a.log, line 10000: planted"]);
  });

  it.each([
    ["escaped for a URL", encodeURIComponent(secret)],
    ["in capitals", secret.toUpperCase()],
    ["within a longer text", `Bearer ${secret}, and more`],
    ["cut off", secret.slice(0, 11)],
    ["a token of older tests", "token-of-acme-01"],
  ])("%s is known for one", (_how, text) => {
    expect(secretsIn(text)).toHaveLength(1);
  });
});

it("every process that a test starts has its output kept, or a reason why not", () => {
  const files = ["test", "bench"].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );
  const starting = files.filter((file) => /\bspawn\(/.test(readFileSync(join(root, file), "utf8")));
  const unseen = starting.filter((file) => !/\bkeepLog\(/.test(readFileSync(join(root, file), "utf8")));
  expect(starting.length).toBeGreaterThan(10);
  expect(unseen.toSorted()).toEqual(Object.keys(unkept).toSorted());
});
