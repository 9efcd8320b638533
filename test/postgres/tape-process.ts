import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { serverEnvironment } from "./server-account.ts";
import { keepLog } from "../kept-logs.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** What a program left behind. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program of PostgreSQL, or any other, to its end. */
export async function run(program: string, args: readonly string[], input = ""): Promise<Ended> {
  const child = spawn(program, [...args], { env: serverEnvironment(), stdio: "pipe" });
  keepLog(child, import.meta.filename);
  const over = once(child, "close");
  // Who ends early leaves the rest unread, and says why on standard error.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), over]);
  return { code: child.exitCode, out, err };
}

/** Runs the `tape` command in a process of its own. */
export const runTape = async (words: readonly string[]): Promise<Ended> => run(process.execPath, [main, ...words]);
