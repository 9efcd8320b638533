import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

/** A process of this machine. */
export interface ProcessLine {
  readonly pid: number;
  readonly parent: number;
  /** As `ps` has it: `R` runs, `T` is stopped, `Z` has ended and nobody has asked how. */
  readonly state: string;
}

/** Every process that this one can see, but for those that have ended. */
export async function livingProcesses(): Promise<readonly ProcessLine[]> {
  const lines = existsSync("/proc/self/stat") ? fromProc() : fromPs(await ps());
  return lines.filter(({ state }) => state !== "Z" && state !== "X");
}

/** Linux: a container often has no `ps`. */
function fromProc(): readonly ProcessLine[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const line = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
      return line === undefined ? [] : [line];
    } catch {
      // It has ended since its name was read.
      return [];
    }
  });
}

/** A line of `/proc/<pid>/stat`: the name of the program stands in brackets and may hold everything. */
export function parseStat(text: string): ProcessLine | undefined {
  const [, pid, state = "", parent] = /^(\d+) \(.*\) (\w) (\d+) /s.exec(text) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), parent: Number(parent), state };
}

async function ps(): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,state="]);
  return stdout;
}

/** The output of `ps -o pid=,ppid=,state=`. */
export function fromPs(text: string): readonly ProcessLine[] {
  return [...text.matchAll(/^ *(\d+) +(\d+) +(\w)/gm)].map(([, pid, parent, state = ""]) => ({
    pid: Number(pid),
    parent: Number(parent),
    state,
  }));
}
