import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logFolderVariable } from "./kept-logs.ts";
import { secretsIn } from "./secrets.ts";

/** Says in a line each where something was printed that must not be: file, line, and the secret's name alone. */
export function leaksIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((file) => {
      const lines = readFileSync(join(folder, file), "utf8").split("\n");
      return lines.flatMap((line, index) => secretsIn(line).map((name) => `${file}, line ${index + 1}: ${name}`));
    });
}

/**
 * Makes the folder in which everything is kept that the tests of a run, and the processes that they start, print; searches
 * it at the end for every secret that tests use, and lets the run fail for one.
 */
export default function keepAndSearchLogs(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "tape-test-logs-"));
  process.env[logFolderVariable] = folder;
  return () => {
    const leaks = leaksIn(folder);
    const files = readdirSync(folder).length;
    rmSync(folder, { recursive: true });
    if (leaks.length === 0) {
      process.stdout.write(`\nno secret in what was printed (${files} logs)\n`);
      return;
    }
    process.stdout.write(`\nsecrets were printed:\n${leaks.map((leak) => `  ${leak}\n`).join("")}`);
    process.exitCode = 1;
  };
}
