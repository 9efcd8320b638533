import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseObject, textField } from "./json-lines.ts";
import type { Point } from "./probe.ts";

/** How a process ended. */
interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of the demo. */
export interface Child {
  readonly pid: number;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** The last lines it wrote to standard error. */
  readonly complaints: readonly string[];
  /** Sends the signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
}

/** What is told about a process while it lives. */
export interface ChildEvents {
  /** A line on standard output. */
  line?(line: string): void;
  /** A line on standard error. */
  complaint?(line: string): void;
  /** It stands at this point until `pass` is called. */
  point?(point: Point, pass: () => void): void;
}

const complaintsKept = 20;

/** Starts the `tape` program itself with these arguments and this environment, as a process of its own. */
export function startChild(args: readonly string[], env: NodeJS.ProcessEnv, events: ChildEvents): Child {
  const program = fileURLToPath(new URL("../cli/main.js", import.meta.url));
  const spawned: ChildProcess = spawn(process.execPath, [program, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe", events.point === undefined ? "ignore" : "ipc"],
  });
  const complaints: string[] = [];
  eachLine(spawned.stdout, (line) => events.line?.(line));
  eachLine(spawned.stderr, (line) => {
    events.complaint?.(line);
    complaints.push(line);
    if (complaints.length > complaintsKept) complaints.shift();
  });
  spawned.on("message", (message) => {
    const point = parseObject(JSON.stringify(message));
    const when = textField(point, "when") === "before" ? "before" : "after";
    events.point?.({ when, call: textField(point, "call") }, () => {
      // It may have been killed since; then nobody waits for the answer.
      if (spawned.connected) spawned.send("pass", () => undefined);
    });
  });
  const exited = new Promise<Exit>((resolve) => {
    spawned.once("error", (error) => {
      complaints.push(error.message);
      resolve({ code: null, signal: null });
    });
    spawned.once("close", (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: spawned.pid ?? 0,
    exited,
    complaints,
    kill: (signal) => {
      spawned.kill(signal);
      return exited;
    },
  };
}

function eachLine(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream }).on("line", take);
}
