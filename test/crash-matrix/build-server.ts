import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const root: string = join(import.meta.dirname, "../..");

/** Compiles this folder, because a process that is to be killed runs no TypeScript; gives the server's program. */
export async function buildCrashServer(): Promise<string> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  // Type errors are left to `npm run check`.
  await promisify(execFile)(process.execPath, [tsc, "-p", "test/crash-matrix"], { cwd: root }).catch(() => undefined);
  return join(root, "build/test/crash-matrix/server/crash-server.js");
}
