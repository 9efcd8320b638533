import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Assignment, RunReport } from "./assignment.ts";

/** How agents of a system are started. */
export interface AgentProgram {
  /** A compiled module. */
  readonly file: string;
  /** What follows the assignment. */
  readonly args: readonly string[];
  /** The whole environment: nothing of ours is inherited, so that no credential and no switch changes what is measured. */
  readonly env: Readonly<Record<string, string>>;
}

/** One process with agents of many runs. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #errors: string[] = [];

  /** @param onReport Called for every run it tells of. */
  constructor(program: AgentProgram, assignment: Assignment, onReport: (report: RunReport) => void) {
    const child = spawn(process.execPath, [program.file, JSON.stringify(assignment), ...program.args], {
      env: program.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#exited = once(child, "close");
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith('{"run":')) onReport(JSON.parse(line) as RunReport);
    });
    createInterface({ input: child.stderr }).on("line", (line) => this.#errors.push(line));
  }

  /** Rejects as soon as it has ended by itself, with what it wrote. */
  async failed(): Promise<never> {
    await this.#exited;
    const last = this.#errors.slice(-30).join("\n");
    throw new Error(`the agent process ended early (${this.#child.exitCode ?? this.#child.signalCode}): ${last}`);
  }

  /** SIGKILL, as the machine would; resolves when it is gone. Idempotent. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
