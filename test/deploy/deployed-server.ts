import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:http2";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Client, credentials, loadPackageDefinition, Metadata, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { vi } from "vitest";
import { freePort } from "../postgres/loopback-port.ts";
import type { Probe, ServerContainer } from "./service-manifests.ts";
import { keepLog } from "../kept-logs.ts";

const root = join(import.meta.dirname, "../..");

/** What stands for the things around the container that are not on this machine. */
export interface Surroundings {
  /** Values of the secrets, by the variable that Cloud Run gives them in. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What differs from what is deployed; `undefined` takes a variable away. */
  readonly changes?: Readonly<Record<string, string | undefined>>;
}

/** The server's container as a process on this machine: same arguments, same environment, same probes. */
export class DeployedServer {
  readonly port: number;
  readonly metricsPort: number;
  readonly #child: ChildProcess;
  readonly #container: ServerContainer;
  readonly #errors: Promise<string>;

  /** Starts it. Ports are free ones of this machine, and loopback; everything else is as deployed. */
  static async start(container: ServerContainer, surroundings: Surroundings): Promise<DeployedServer> {
    const [port, metricsPort] = await Promise.all([freePort(), freePort()]);
    const env: Environment = { ...containerEnvironment(container, surroundings), PORT: `${port}` };
    env["TAPE_LISTEN"] = env["TAPE_LISTEN"]?.replace(`0.0.0.0:${container.port}`, `127.0.0.1:${port}`);
    env["TAPE_METRICS_LISTEN"] = `127.0.0.1:${metricsPort}`;
    return new DeployedServer(container, env, port, metricsPort);
  }

  private constructor(container: ServerContainer, env: Environment, port: number, metricsPort: number) {
    this.port = port;
    this.metricsPort = metricsPort;
    this.#container = container;
    // The image's entry point is `node .../cli/main.js`; the manifest gives the arguments.
    this.#child = spawn(process.execPath, [join(root, "dist/cli/main.js"), ...container.args], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    keepLog(this.#child, import.meta.filename);
    const { stderr } = this.#child;
    this.#errors = stderr === null ? Promise.resolve("") : text(stderr);
  }

  /** Waits as Cloud Run does: until the startup probe has succeeded, or as long as its threshold allows. */
  async started(): Promise<void> {
    const probe = this.#container.startup;
    const timeout = probe.periodSeconds * probe.failureThreshold * 1000;
    try {
      await vi.waitFor(
        async () => {
          if (this.#child.exitCode !== null) return;
          if ((await this.probe(probe)) !== 200) throw new Error("not started");
        },
        { timeout, interval: 50 },
      );
    } catch (error) {
      this.#child.kill("SIGKILL");
      throw error;
    }
    if (this.#child.exitCode !== null) throw new Error(`exit ${this.#child.exitCode}: ${await this.#errors}`);
  }

  /** Asks a probe's path, over HTTP/1.1. */
  async probe({ path, timeoutSeconds }: Probe): Promise<number> {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { signal });
    await response.arrayBuffer();
    return response.status;
  }

  /** Asks a probe's path over HTTP/2 without TLS, as Cloud Run does for a port named h2c. */
  async probeH2c({ path }: Probe): Promise<number> {
    const session = connect(`http://127.0.0.1:${this.port}`);
    try {
      const stream = session.request({ ":path": path });
      stream.resume();
      const [headers] = (await once(stream, "response")) as [Readonly<Record<string, unknown>>];
      return Number(headers[":status"]);
    } finally {
      session.close();
    }
  }

  /** A call by a client that knows the .proto file alone. Rejects with what grpc-js makes of a status. */
  async call(method: string, request: object, token?: string): Promise<Readonly<Record<string, unknown>>> {
    const client = new Client(`127.0.0.1:${this.port}`, credentials.createInsecure());
    const metadata = new Metadata();
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
    const { path, requestSerialize, responseDeserialize } = methodOf(method);
    try {
      return await new Promise((resolve, reject) => {
        client.makeUnaryRequest<object, Record<string, unknown>>(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadata,
          (error, response) => (error === null ? resolve(response ?? {}) : reject(error)),
        );
      });
    } finally {
      client.close();
    }
  }

  /** Sends SIGTERM as Cloud Run does, and gives the exit code and the milliseconds that the server took. */
  async stop(): Promise<{ readonly code: number | null; readonly ms: number; readonly errors: string }> {
    const startedAt = performance.now();
    const closed = once(this.#child, "close");
    this.#child.kill("SIGTERM");
    await closed;
    return { code: this.#child.exitCode, ms: performance.now() - startedAt, errors: await this.#errors };
  }

  /** Ends it, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    if (this.#child.kill("SIGKILL")) await closed;
  }
}

type Environment = Record<string, string | undefined>;

/** The environment as Cloud Run sets it, and nothing of this machine's. */
export function containerEnvironment(
  { env, secretEnv }: ServerContainer,
  { secrets, changes }: Surroundings,
): Environment {
  const missing = secretEnv.filter((name) => secrets[name] === undefined);
  if (missing.length > 0) throw new Error(`nothing stands for the secret in ${missing.join(", ")}`);
  return { ...env, ...secrets, ...changes };
}

const definition = loadSync("tape/v1/tape.proto", { includeDirs: [join(root, "proto")], keepCase: true });
const { service } = (
  loadPackageDefinition(definition) as unknown as { tape: { v1: { Tape: ServiceClientConstructor } } }
).tape.v1.Tape;

function methodOf(name: string): ServiceClientConstructor["service"][string] {
  const method = service[name];
  if (method === undefined) throw new Error(`the contract has no call ${name}`);
  return method;
}
