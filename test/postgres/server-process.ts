import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Client, DatabaseError } from "pg";
import { type ServerAccount, serverEnvironment } from "./server-account.ts";

/** A program that serves the PostgreSQL protocol. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly account: ServerAccount;
  readonly folder: string;
  /** Gets everything the program says, so that nobody needs to read a pipe in time. */
  readonly logFile: string;
}

/** A process that has been started, until it and all its children are gone. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #gone: Promise<unknown>;
  readonly #command: ServerCommand;

  constructor(command: ServerCommand) {
    this.#command = command;
    const log = openSync(command.logFile, "a");
    this.#child = spawn(command.program, [...command.args], {
      ...command.account,
      cwd: command.folder,
      env: serverEnvironment(),
      detached: true,
      // All children inherit the fourth: it ends when the last of them has.
      stdio: ["ignore", log, log, "pipe"],
    });
    closeSync(log);
    this.#exit = once(this.#child, "exit");
    const shared = this.#child.stdio[3];
    this.#gone = shared === undefined || shared === null ? this.#exit : once(shared, "close");
    if (shared !== undefined && shared !== null && "resume" in shared) shared.resume();
    // Who waits gets the failure; before that nobody is there to be told.
    this.#exit.catch(() => undefined);
    this.#gone.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it answers a connection, if only by refusing it; rejects when it ends before, with what it said. */
  async ready(host: string, port: number): Promise<void> {
    const until = performance.now() + 60_000;
    while (!(await answers(host, port))) {
      if (!this.running) throw new Error(`${this.#command.program} ended while starting: ${this.#lastWords()}`);
      if (performance.now() > until) throw new Error(`${this.#command.program} did not start: ${this.#lastWords()}`);
      await delay(20);
    }
  }

  /** Sends the signal and waits until the process and all its children are gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.running) this.#child.kill(signal);
    await Promise.all([this.#exit, this.#gone]);
  }

  #lastWords(): string {
    const lines = readFileSync(this.#command.logFile, "utf8").trimEnd().split("\n");
    return lines.slice(-8).join(" | ");
  }
}

async function answers(host: string, port: number): Promise<boolean> {
  const client = new Client({ host, port, user: "postgres", database: "postgres", ssl: false });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    // 57P03: it is still starting.
    return error instanceof DatabaseError && error.code !== "57P03";
  } finally {
    await client.end().catch(() => undefined);
  }
}
