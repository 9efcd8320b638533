import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { readEnvironment } from "../src/server/config.ts";
import { keepLog } from "../test/kept-logs.ts";
import { started } from "./server-start.ts";

/** `tape serve` as a process of its own. */
export interface ServerProcess {
  readonly port: number;
  readonly pid: number;
  /** Sends the signal and waits for the end. Idempotent. */
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/**
 * Starts this program's server, on a free port unless told.
 * Errors: SERVER_UNAVAILABLE with what it wrote, when it does not start.
 * @param env Beside the environment of this process.
 */
export async function startServer(
  program: string,
  storeUrl: string,
  listenPort = 0,
  env: Readonly<Record<string, string>> = {},
  patienceMs?: number,
): Promise<ServerProcess> {
  const args = [program, "serve", "--store", storeUrl, "--listen", `127.0.0.1:${listenPort}`];
  const child = spawn(process.execPath, args, {
    env: { ...readEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  keepLog(child, import.meta.filename);
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const written: string[] = [];
  const ready = new Promise<number>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        written.push(line);
        const found = /(?:http|tape):\/\/127\.0\.0\.1:(\d+)/.exec(line);
        if (found !== null) resolve(Number(found[1]));
      });
    }
  });
  const what = listenPort === 0 ? "the server" : `the server on port ${listenPort}`;
  const port = await started({ what, child, storeUrl, ready, written: () => written.join("\n"), patienceMs });
  return {
    port,
    pid: child.pid ?? 0,
    stop: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}
