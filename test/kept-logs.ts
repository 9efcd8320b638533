import type { ChildProcess } from "node:child_process";
import { appendFileSync } from "node:fs";
import { basename, join } from "node:path";
import { inspect } from "node:util";

/** Names the folder into which everything goes that the processes of a test run print. Absent: it is not kept. */
export const logFolderVariable = "TAPE_TEST_LOGS";

/** Marks what keeps already: the files that share a process all ask for it, and one line is to be kept once. */
const keeps: symbol = Symbol.for("tape-keeps-output");

const consoleMethods = ["debug", "error", "info", "log", "warn"] as const;

/** Keeps what a process of a test prints, for those who look through all of it at the end of the run. */
export function keepLog(child: ChildProcess, what: string): void {
  const file = logFile(`${basename(what)}-${child.pid ?? 0}`);
  if (file === undefined) return;
  for (const output of [child.stdout, child.stderr]) {
    // Synchronously: whoever ends the process soon afterwards must not lose its last words.
    output?.on("data", (bytes: Buffer | string) => appendFileSync(file, bytes));
  }
}

/** Keeps what this process prints from now on, by its console too, which test runners put in the place of Node's. */
export function keepOwnOutput(own: NodeJS.Process): void {
  const file = logFile(`tests-${own.pid}`);
  if (file === undefined) return;
  for (const output of [own.stdout, own.stderr]) {
    if (keeps in output) continue;
    const write = output.write.bind(output) as (...args: readonly unknown[]) => boolean;
    output.write = (...args: readonly unknown[]) => {
      if (typeof args[0] === "string" || args[0] instanceof Uint8Array) appendFileSync(file, args[0]);
      return write(...args);
    };
    Object.defineProperty(output, keeps, { value: true });
  }
  for (const method of consoleMethods) {
    // oxlint-disable-next-line no-console
    if (keeps in console[method]) continue;
    // oxlint-disable-next-line no-console
    const print = console[method].bind(console);
    const keepAndPrint = (...args: unknown[]): void => {
      appendFileSync(file, `${args.map((arg) => inspect(arg)).join(" ")}\n`);
      print(...args);
    };
    // oxlint-disable-next-line no-console
    console[method] = Object.assign(keepAndPrint, { [keeps]: true });
  }
}

function logFile(name: string): string | undefined {
  const folder = process.env[logFolderVariable];
  return folder === undefined || folder === "" ? undefined : join(folder, `${name}.log`);
}
