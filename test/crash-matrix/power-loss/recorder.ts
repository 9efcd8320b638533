import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What to do where there is none. */
export const compilerMissing =
  "no C compiler found, which makes the recorder of writes and syncs: apt-get install gcc libc6-dev";

/** A library that writes down what a process does to the files of a folder; see `recorder.c`. */
export interface Recorder {
  /** For the environment of the process; the folder is absolute. */
  readonly env: (folder: string, log: string) => Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Compiles the recorder; `undefined`: this machine has no C compiler, or is no Linux. @param source `recorder.c`. */
export async function makeRecorder(source: string): Promise<Recorder | undefined> {
  if (process.platform !== "linux") return undefined;
  const folder = await mkdtemp(join(tmpdir(), "tape-recorder-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const library = join(folder, "recorder.so");
  try {
    await run("cc", ["-O2", "-Wall", "-Werror", "-fPIC", "-shared", "-o", library, source]);
  } catch (error) {
    await remove();
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return {
    env: (recorded, log) => ({ LD_PRELOAD: library, TAPE_RECORD_FOLDER: recorded, TAPE_RECORD_LOG: log }),
    remove,
  };
}
