import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TapeError } from "../../errors.ts";
import { type CommandLine, parsePostmasterPid, type PostmasterPid } from "./postmaster-files.ts";
import { livingProcesses } from "./process-table.ts";

/** How a server was started, and so how it is started again. */
export interface PostmasterStart {
  readonly command: CommandLine;
  /** Whom it runs as; empty: whoever runs this. */
  readonly account: { readonly uid?: number; readonly gid?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that gets what it writes, be it only why it cannot start. */
  readonly output: string;
}

/** Options of {@link Postmaster}. */
export interface PostmasterOptions extends PostmasterStart {
  readonly dataFolder: string;
  /** What the process id of a running server stands in. */
  readonly lockFiles: readonly string[];
  /** Whether it takes connections. */
  readonly answers: () => Promise<boolean>;
}

const longestStartMs = 60_000;
/** Our own start may have failed because a supervisor was faster: then it answers soon. */
const graceMs = 5_000;
const longestReapMs = 200;
const pollMs = 10;

/** A PostgreSQL server of this machine, to be killed and started again. */
export class Postmaster {
  readonly #options: PostmasterOptions;
  #starting: Promise<void> | undefined;
  #isDown = false;

  constructor(options: PostmasterOptions) {
    this.#options = options;
  }

  /** SIGKILL of the postmaster and all its children. Resolves when they are gone. */
  async kill(): Promise<void> {
    const running = readPostmasterPid(this.#options.dataFolder);
    if (running === undefined) throw new TapeError("STORE_UNAVAILABLE", "the database server has ended by itself");
    const { pid } = running;
    this.#isDown = true;
    // Stopped, it makes no more children; killed first, it would leave children that nobody knows to be its own.
    process.kill(pid, "SIGSTOP");
    await until(async () => (await livingProcesses()).some((one) => one.pid === pid && /t/i.test(one.state)));
    const family = (await livingProcesses()).filter((one) => one.pid === pid || one.parent === pid);
    // The postmaster last: children that see it dead would still end in good order.
    for (const one of family.toSorted((a, b) => Number(a.pid === pid) - Number(b.pid === pid))) kill(one.pid);
    const pids = new Set(family.map((one) => one.pid));
    await until(async () => !(await livingProcesses()).some((one) => pids.has(one.pid)));
    await this.#beForgotten(pid);
  }

  /**
   * A new server does not start while the number in the old one's files is in use, be it by a process that has ended
   * and nobody has asked how; in a container often nobody ever does.
   */
  async #beForgotten(pid: number): Promise<void> {
    const giveUpAt = performance.now() + longestReapMs;
    while (isKnown(pid) && performance.now() < giveUpAt) await delay(pollMs);
    if (!isKnown(pid)) return;
    for (const file of this.#options.lockFiles) rmSync(file, { force: true });
  }

  /** Starts it when it was killed; resolves when it takes connections. */
  start(): Promise<void> {
    if (!this.#isDown) return Promise.resolve();
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { answers } = this.#options;
    const ended = this.#spawn();
    let giveUpAt = performance.now() + longestStartMs;
    void ended.then(() => {
      giveUpAt = Math.min(giveUpAt, performance.now() + graceMs);
    });
    while (!(await answers())) {
      if (performance.now() > giveUpAt) throw this.#doesNotStart();
      await delay(pollMs);
    }
    this.#isDown = false;
  }

  /** Resolves when what was started has ended. It outlives this process, whatever becomes of that. */
  #spawn(): Promise<void> {
    const { command, account, env, output, dataFolder } = this.#options;
    const file = openSync(output, "a", 0o600);
    try {
      const child = spawn(command.program, [...command.args], {
        ...account,
        env,
        cwd: dataFolder,
        detached: true,
        stdio: ["ignore", file, file],
      });
      child.unref();
      return new Promise((resolve) => {
        child.once("error", () => resolve());
        child.once("exit", () => resolve());
      });
    } finally {
      closeSync(file);
    }
  }

  #doesNotStart(): TapeError {
    const { command, output } = this.#options;
    const words = [command.program, ...command.args].join(" ");
    return new TapeError(
      "STORE_UNAVAILABLE",
      `the database server that the demo killed does not start again; see ${output}, then start it as it was: ${words}`,
    );
  }
}

/** Which server runs in this folder, if any. Errors: the system's, but for a file that is not there. */
export function readPostmasterPid(dataFolder: string): PostmasterPid | undefined {
  try {
    return parsePostmasterPid(readFileSync(join(dataFolder, "postmaster.pid"), "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function isKnown(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + longestStartMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new TapeError("INTERNAL", "the database server does not die");
    await delay(pollMs);
  }
}
