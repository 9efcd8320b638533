import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { keepLog } from "../kept-logs.ts";

const program = join(import.meta.dirname, "../../dist/cli/main.js");

/** How a demo ended. */
export interface Outcome {
  readonly code: number;
  /** `undefined`: it has written none. */
  readonly report: unknown;
  readonly complaints: string;
}

/** Runs the demo as a user does, with a JSON report. */
export function runDemo(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, "demo", "crash", "--json", ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, report: stdout === "" ? undefined : JSON.parse(stdout), complaints: stderr });
    });
  });
}

/** A demo that runs, and what its end will be: code and signal. */
export interface StartedDemo {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  readonly exited: Promise<readonly unknown[]>;
}

/** Starts the demo as a user does; what it tells is to be read from its standard output. */
export function startDemo(env: Readonly<Record<string, string>>, ...args: readonly string[]): StartedDemo {
  const child = spawn(process.execPath, [program, "demo", "crash", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  keepLog(child, import.meta.filename);
  return { child, exited: once(child, "close") };
}
