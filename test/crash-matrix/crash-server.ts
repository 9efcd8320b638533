import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { started } from "../../bench/server-start.ts";
import { TapeError } from "../../src/errors.ts";
import type { FromServer, PlantedBug, ToServer, Watch } from "./server/protocol.ts";
import { admission } from "./server/tenants.ts";

/** How a server to be killed is started. */
export interface CrashServerOptions {
  /** `server/crash-server.js`, compiled. */
  readonly program: string;
  /** May hold a password: never to be printed. */
  readonly storeUrl: string;
  readonly port: number;
  readonly planted?: PlantedBug | undefined;
  /** Where the server notes which calls it answers. */
  readonly marks?: string | undefined;
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Until it takes calls, in milliseconds. */
  readonly patienceMs?: number | undefined;
}

/** A server in a process of its own, whose calls can be held at a step. */
export class CrashServer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #complaints: () => string;
  readonly #waiting = new Map<string, (message: FromServer) => void>();
  readonly #appends = new Map<string, number>();

  private constructor(child: ChildProcess, port: number, complaints: () => string) {
    this.#child = child;
    this.#exited = once(child, "close");
    this.port = port;
    this.#complaints = complaints;
    child.on("message", (message) => this.#take(message as FromServer));
  }

  /** One that takes calls. Errors: SERVER_UNAVAILABLE with what it wrote, when it does not start. */
  static async start(options: CrashServerOptions): Promise<CrashServer> {
    const { program, storeUrl, port, planted, marks, env, patienceMs } = options;
    const args = ["--port", String(port), "--store", storeUrl];
    if (planted !== undefined) args.push("--plant", planted);
    if (marks !== undefined) args.push("--marks", marks);
    const child = fork(program, args, {
      env: { ...process.env, ...admission, ...env },
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let complaints = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaints += text));
    const ready = new Promise<number>((resolve) => {
      child.once("message", (message) => {
        const told = message as FromServer;
        if (told.kind === "listening") resolve(told.port);
      });
    });
    const what = port === 0 ? "the server" : `the server on port ${port}`;
    const listening = await started({ what, child, storeUrl, ready, written: () => complaints, patienceMs });
    return new CrashServer(child, listening, () => complaints);
  }

  /** Ready to hold this call when it comes. */
  async watch(watch: Watch): Promise<void> {
    await this.#ask({ kind: "watch", watch }, this.#told("watching", watch.requestId));
  }

  /** Resolves when the call is held. To be asked before the call is sent. */
  async reached(requestId: string): Promise<void> {
    await this.#told("reached", requestId);
  }

  /** Lets calls go on; with `killAfterUs` it dies so many microseconds after their appends were sent. */
  release(requestIds: readonly string[], killAfterUs?: number): void {
    this.#send({ kind: "release", requestIds, ...(killAfterUs === undefined ? {} : { killAfterUs }) });
  }

  /** How many appends a watched call has made that was answered. */
  appends(requestId: string): number {
    return this.#appends.get(requestId) ?? 0;
  }

  /** Makes a server on a SQLite file move its log into the file. */
  async checkpoint(): Promise<void> {
    await this.#ask({ kind: "checkpoint" }, this.#told("checkpointed", ""));
  }

  /** Resolves when it has died; rejects when it is still there after a while. */
  async died(patienceMs = 20_000): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    await this.#exited;
    clearTimeout(timer);
    if (this.#child.exitCode !== null && this.#child.exitCode !== 0) {
      throw new TapeError("SERVER_UNAVAILABLE", `the server ended by itself: ${this.#complaints().slice(-2000)}`);
    }
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** SIGTERM: a graceful stop. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#exited;
  }

  /** Errors: SERVER_UNAVAILABLE when it ends before it has answered. */
  async #ask(message: ToServer, answer: Promise<unknown>): Promise<void> {
    this.#send(message);
    const ended = this.#exited.then(() => {
      throw new TapeError("SERVER_UNAVAILABLE", `the server on port ${this.port} has ended by itself`);
    });
    await Promise.race([answer, ended]);
  }

  #send(message: ToServer): void {
    // It may have died a moment ago, as it was to.
    this.#child.send(message, () => undefined);
  }

  #told(kind: FromServer["kind"], requestId: string): Promise<FromServer> {
    return new Promise((resolve) => this.#waiting.set(`${kind} ${requestId}`, resolve));
  }

  #take(message: FromServer): void {
    if (message.kind === "listening") return;
    if (message.kind === "answered") this.#appends.set(message.requestId, message.appends);
    const key = `${message.kind} ${message.kind === "checkpointed" ? "" : message.requestId}`;
    this.#waiting.get(key)?.(message);
    this.#waiting.delete(key);
  }
}
