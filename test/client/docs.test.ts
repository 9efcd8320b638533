import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { RealServer } from "./real-server.ts";

const root = new URL("../../", import.meta.url);
const run = promisify(execFile);

test("the program of docs/client.md does what the page says", async () => {
  const page = await readFile(new URL("docs/client.md", root), "utf8");
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  await using server = await RealServer.open();
  const program = blocks
    .join("\n")
    .replaceAll("tape://127.0.0.1:7878", server.url)
    .replace('"tape-journal"', JSON.stringify(pathToFileURL(join(root.pathname, "dist/index.js")).href));
  const folder = await mkdtemp(join(tmpdir(), "tape-docs-"));
  try {
    await writeFile(join(folder, "program.mjs"), program);
    const { stdout } = await run(process.execPath, [join(folder, "program.mjs")]);
    expect(stdout.split("\n")).toEqual([
      "RUNNING",
      "held by worker-1",
      "1 run running",
      "2 effect pending",
      "3 effect confirmed",
      "4 run terminal",
      "",
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
