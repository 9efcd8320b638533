import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = new URL("../", import.meta.url);

it("the program of docs/reactions.md does what the page says", async () => {
  const page = await readFile(new URL("docs/reactions.md", root), "utf8");
  const program = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const library = pathToFileURL(join(root.pathname, "dist/index.js")).href;
  const folder = await mkdtemp(join(tmpdir(), "tape-reactions-"));
  try {
    const file = join(folder, "worker.mjs");
    await writeFile(file, program.replace('"tape-journal"', JSON.stringify(library)));
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
    expect(stdout).toMatch(/^look at run-\w+ wire\n$/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
