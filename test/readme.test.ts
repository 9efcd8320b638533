import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = new URL("../", import.meta.url);
const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tape-readme-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it("README's program does what it says, and acts once over two runs", async () => {
  const page = await readFile(new URL("README.md", root), "utf8");
  const program = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const library = pathToFileURL(join(root.pathname, "dist/index.js")).href;
  const refund = `const refund = async (request) => { console.log("refunded", request.idempotencyKey); return { ok: true }; };`;
  const ending = `console.log("effect was", effect.status); await tape.close();`;
  const [imports = "", ...rest] = program.replace('"tape-journal"', JSON.stringify(library)).split("\n");
  const file = join(folder, "refund.mjs");
  await writeFile(file, [imports, refund, ...rest, ending].join("\n"));

  const first = await run(process.execPath, [file], { cwd: folder });
  expect(first.stdout).toMatch(/^refunded run-\w+\/decision-0\/refund\/0\neffect was PENDING\n$/);
  const second = await run(process.execPath, [file], { cwd: folder });
  expect(second.stdout).toBe("effect was CONFIRMED\n");
});

it("README has at most 100 lines and names the two commands", async () => {
  const page = await readFile(new URL("README.md", root), "utf8");
  expect(page.split("\n").length).toBeLessThanOrEqual(101);
  expect(page).toContain("npm ci && npm run demo");
  expect(page).toContain("npm ci && npm test");
});
