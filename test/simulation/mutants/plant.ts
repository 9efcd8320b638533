import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Mutant } from "./mutant.ts";

/** The compiled simulation, with the sources of Tape that it uses. */
const built = "build";
const planted = "build/mutants";

/**
 * Makes a copy of the compiled simulation in which one source file has the bug; gives its folder. No file of the
 * repository is touched. Errors: the text to be replaced does not stand there exactly once.
 */
export function plant({ name, file, find, replace }: Mutant): string {
  const folder = join(planted, name);
  rmSync(folder, { recursive: true, force: true });
  for (const part of ["src", "test"]) cpSync(join(built, part), join(folder, part), { recursive: true });
  const source = readFileSync(file, "utf8");
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`mutant ${name}: its text stands ${places} times in ${file}, not once`);
  const copy = join(folder, "source", file);
  mkdirSync(dirname(copy), { recursive: true });
  // A function, so that `$` in the text means itself.
  writeFileSync(
    copy,
    source.replace(find, () => replace),
  );
  compile(folder, file);
  rmSync(join(folder, "source"), { recursive: true });
  return folder;
}

/** Compiles the one file over the one that is there; what it imports is not looked at. */
function compile(folder: string, file: string): void {
  const project = join(folder, "source", "tsconfig.json");
  const options = { rootDir: ".", outDir: "..", noCheck: true, noResolve: true, noEmitOnError: false, types: [] };
  writeFileSync(
    project,
    JSON.stringify({
      extends: relative(dirname(project), "tsconfig.base.json"),
      compilerOptions: options,
      files: [file],
    }),
  );
  const { status, stdout, error } = spawnSync("tsc", ["-p", project], { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`the mutant in ${file} cannot be compiled:\n${stdout}`);
}
