import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findEmulator } from "../../emulators/find-emulator.ts";
import { freePort } from "../../postgres/loopback-port.ts";
import { ServerFolder } from "../../postgres/server-folder.ts";

const patienceMs = 30_000;

/** Spanner's emulator with the gateway before it that speaks REST, as `gcloud emulators spanner start` runs the two. */
export class SpannerGateway implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: ServerFolder;

  private constructor(url: string, process: ChildProcess, folder: ServerFolder) {
    this.url = url;
    this.#process = process;
    this.#folder = folder;
  }

  /** One that answers. Rejects where there is none. */
  static async open(): Promise<SpannerGateway> {
    const emulator = findEmulator("spanner");
    if (emulator === undefined) throw new RangeError("there is no Spanner emulator");
    const [grpc, http] = [await freePort(), await freePort()];
    const folder = new ServerFolder("tape-gateway-", {});
    const child = spawn(
      join(dirname(emulator), "gateway_main"),
      ["-hostname", "127.0.0.1", "-grpc_port", String(grpc), "-http_port", String(http), "-grpc_binary", emulator],
      { cwd: folder.path, detached: true, stdio: "ignore" },
    );
    // The emulator is a child of the gateway, and does not end with it: the group is ended.
    folder.guard(child.pid === undefined ? undefined : -child.pid);
    const gateway = new SpannerGateway(`http://127.0.0.1:${http}`, child, folder);
    const until = performance.now() + patienceMs;
    while (!(await gateway.#answers())) {
      if (child.exitCode !== null || performance.now() > until) {
        await gateway[Symbol.asyncDispose]();
        throw new RangeError("the gateway of the Spanner emulator did not start");
      }
      await delay(20);
    }
    return gateway;
  }

  /** Makes something, as the service's REST API does. */
  async post(path: string, body: object): Promise<void> {
    const response = await fetch(`${this.url}${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new RangeError(await response.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode } = this.#process;
    if (pid !== undefined && exitCode === null) {
      const ended = once(this.#process, "exit");
      process.kill(-pid, "SIGKILL");
      await ended;
    }
    this.#folder.guard(undefined);
    await this.#folder.remove();
  }

  async #answers(): Promise<boolean> {
    return fetch(`${this.url}/v1/projects/p/instances`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
