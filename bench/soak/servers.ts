import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../test/postgres/loopback-port.ts";
import { startServer, type ServerProcess } from "../server-process.ts";

/** Several `tape serve` on one store, each on a port that it keeps when it is killed and started again. */
export class Servers {
  readonly ports: readonly number[];
  readonly #program: string;
  readonly #storeUrl: string;
  readonly #environment: Readonly<Record<string, string>> | undefined;
  readonly #running = new Map<number, ServerProcess>();

  private constructor(
    program: string,
    storeUrl: string,
    ports: readonly number[],
    environment: Readonly<Record<string, string>> | undefined,
  ) {
    this.#program = program;
    this.#storeUrl = storeUrl;
    this.ports = ports;
    this.#environment = environment;
  }

  /** @param environment Of the servers, beside that of this process. */
  static async open(
    program: string,
    storeUrl: string,
    count: number,
    environment?: Readonly<Record<string, string>>,
  ): Promise<Servers> {
    const ports: number[] = [];
    while (ports.length < count) {
      const port = await freePort();
      if (!ports.includes(port)) ports.push(port);
    }
    const servers = new Servers(program, storeUrl, ports, environment);
    const started = await Promise.allSettled(ports.map((port) => servers.#start(port, mostFirstStarts)));
    const failed = started.find((one) => one.status === "rejected");
    if (failed === undefined) return servers;
    await servers.close();
    throw failed.reason;
  }

  /** SIGKILL of one of them, and up again. */
  async restart(port: number): Promise<void> {
    await this.#running.get(port)?.stop("SIGKILL");
    await this.#start(port);
  }

  /** Stops one of them in the middle of whatever it does, and lets it go on. */
  async freeze(port: number, ms: number): Promise<void> {
    const pid = this.#running.get(port)?.pid;
    if (pid === undefined) return;
    process.kill(pid, "SIGSTOP");
    await sleep(ms);
    process.kill(pid, "SIGCONT");
  }

  /** SIGTERM to all, and waits for their end. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((server) => server.stop("SIGTERM")));
    this.#running.clear();
  }

  /** A database that is starting itself is waited for. Errors: SERVER_UNAVAILABLE with what the server wrote. */
  async #start(port: number, mostTries: number = mostStarts): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        this.#running.set(port, await startServer(this.#program, this.#storeUrl, port, this.#environment));
        return;
      } catch (error) {
        if (tries === mostTries) throw error;
        await sleep(pauseMs);
      }
    }
  }
}

/** In the beginning the database is there. */
const mostFirstStarts = 3;
const mostStarts = 20;
const pauseMs = 250;
