import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root: string = dirname(import.meta.dirname);

/**
 * Compiles `src` to `dist` once before the tests, because the SQLite writer thread and the
 * processes that crash tests kill run from `dist`. Does nothing when `dist` is newer than `src`.
 * A type error is left to `npm run check`; only a compiler that writes nothing fails here.
 */
export default async function buildDist(): Promise<void> {
  const built = modifiedAt(join(root, "dist", ".tsbuildinfo"));
  if (built > newestSource(join(root, "src"))) return;
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const compiler = spawn(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "ignore" });
  await once(compiler, "exit");
  if (modifiedAt(join(root, "dist", ".tsbuildinfo")) === 0) throw new Error("tsc wrote no dist: run `npm run build`");
}

function newestSource(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(0, ...files.map((file) => modifiedAt(join(file.parentPath, file.name))));
}

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
