import { spawn, type ChildProcess } from "node:child_process";
import { Agent, get as getHttp } from "node:http";
import { Agent as TlsAgent, get as getHttps } from "node:https";
import { createInterface } from "node:readline";
import { keepLog } from "../kept-logs.ts";

/** Memory of a server, in bytes. */
export interface Memory {
  readonly resident: number;
  /** The JavaScript heap in use, and buffers outside of it. */
  readonly used: number;
}

/** `tape serve` as a process of its own: what is attacked. */
export class Target implements AsyncDisposable {
  readonly port: number;
  readonly tls: boolean;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #agents = [
    new Agent({ keepAlive: true, maxSockets: 1 }),
    new TlsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false }),
  ] as const;

  private constructor(child: ChildProcess, ended: Promise<unknown>, port: number, tls: boolean) {
    this.#child = child;
    this.#ended = ended;
    this.port = port;
    this.tls = tls;
  }

  /** Starts a server on a free port. `program` is `dist/cli/main.js`, `settings` its environment. */
  static async open(program: string, settings: Readonly<Record<string, string>>): Promise<Target> {
    const child = spawn(process.execPath, [program, "serve", "--listen", "127.0.0.1:0"], {
      env: { PATH: process.env["PATH"] ?? "", TAPE_STORE: "memory:", TAPE_LOG: "json", ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    keepLog(child, "hostile-network");
    const ended = new Promise((resolve) => child.once("close", resolve));
    const written: string[] = [];
    const port = await new Promise<number>((resolve, reject) => {
      for (const input of [child.stdout, child.stderr]) {
        createInterface({ input }).on("line", (line) => {
          if (written.length < 20) written.push(line);
          const found = /tapes?:\/\/127\.0\.0\.1:(\d+)/.exec(line);
          if (found !== null) resolve(Number(found[1]));
        });
      }
      void ended.then(() => reject(new Error(`the server did not start: ${written.join("\n")}`)));
    });
    return new Target(child, ended, port, "TAPE_TLS_CERT" in settings);
  }

  /** Whether the process lives. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Figures of `/metrics` by name, without those that have labels. Over a connection that is kept. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const page = await this.page("/metrics");
    const figures = page.matchAll(/^(\w+) ([\d.e+-]+)$/gm);
    return new Map(Array.from(figures, ([, name = "", value]) => [name, Number(value)]));
  }

  async memory(): Promise<Memory> {
    const metrics = await this.metrics();
    const of = (name: string): number => metrics.get(name) ?? Number.NaN;
    return {
      resident: of("process_resident_memory_bytes"),
      used: of("nodejs_heap_used_bytes") + of("nodejs_external_memory_bytes"),
    };
  }

  /** The text of a plain page. */
  page(path: string): Promise<string> {
    const { port } = this;
    const [agent, tlsAgent] = this.#agents;
    return new Promise((resolve, reject) => {
      const to = { host: "127.0.0.1", port, path };
      const request = this.tls ? getHttps({ ...to, agent: tlsAgent }) : getHttp({ ...to, agent });
      request.on("error", (error: NodeJS.ErrnoException) => {
        // A connection that the server closed while it was idle, and before the question: HTTP/1.1 cannot tell otherwise.
        if (request.reusedSocket && error.code === "ECONNRESET") resolve(this.page(path));
        else reject(error);
      });
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part)).on("end", () => resolve(text));
        response.on("error", reject);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) agent.destroy();
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
