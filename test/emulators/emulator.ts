import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../postgres/loopback-port.ts";
import { ServerFolder } from "../postgres/server-folder.ts";
import { emulatorMissing, findEmulator, type EmulatorKind } from "./find-emulator.ts";

const patienceMs = 30_000;

const argumentsOf: Readonly<Record<EmulatorKind, (port: number) => readonly string[]>> = {
  bigtable: (port) => ["-host", "127.0.0.1", "-port", String(port)],
  spanner: (port) => ["--host_port", `127.0.0.1:${port}`],
};

/**
 * Bigtable's emulator sends a copy of a row that shares the list of column names with the row itself, which a writer sorts
 * in place: a read beside a new column loses the last ones, about one in a thousand, and the row seems not to be there. On
 * one processor the two practically never meet.
 */
const environmentOf: Readonly<Record<EmulatorKind, NodeJS.ProcessEnv>> = {
  bigtable: { GOMAXPROCS: "1" },
  spanner: {},
};

/** An emulator of one test or of a whole run, on a free loopback port. It dies with the process. */
export class Emulator implements AsyncDisposable {
  readonly kind: EmulatorKind;
  readonly port: number;
  readonly #program: string;
  readonly #folder = new ServerFolder("tape-emulator-", {});
  #process: ChildProcess | undefined;

  private constructor(kind: EmulatorKind, program: string, port: number) {
    this.kind = kind;
    this.port = port;
    this.#program = program;
  }

  /** One that answers. Rejects where it is not installed. */
  static async open(kind: EmulatorKind): Promise<Emulator> {
    const program = findEmulator(kind);
    if (program === undefined) throw new Error(emulatorMissing(kind));
    const emulator = new Emulator(kind, program, await freePort());
    await emulator.start();
    return emulator;
  }

  /** `host:port`. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it, empty; resolves when it answers. Idempotent. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const logFile = join(this.#folder.path, "log");
    const log = openSync(logFile, "a");
    const child = spawn(this.#program, [...argumentsOf[this.kind](this.port)], {
      cwd: this.#folder.path,
      detached: true,
      env: { ...process.env, ...environmentOf[this.kind] },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#process = child;
    this.#folder.guard(child.pid);
    const until = performance.now() + patienceMs;
    while (!(await answers(this.port))) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > until) {
        await this.kill();
        throw new Error(`${this.#program} did not start: ${readFileSync(logFile, "utf8").slice(-2000)}`);
      }
      await delay(20);
    }
  }

  /** SIGKILL: everything it held is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    }
    this.#folder.guard(undefined);
  }

  /** Ends it for good. Idempotent. */
  async stop(): Promise<void> {
    await this.kill();
    await this.#folder.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
