import { setTimeout as sleep } from "node:timers/promises";
import { Servers } from "../../bench/soak/servers.ts";
import { connectTape } from "../../src/client/index.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { Random } from "../../src/testing/random.ts";
import { Machine } from "./machine.ts";
import type { World } from "./round.ts";

/** What a world of real servers is made of. */
export interface ServedOptions {
  /** The command line program, compiled. */
  readonly program: string;
  readonly storeUrl: string;
  /** For the servers, beside this process's. */
  readonly environment: Readonly<Record<string, string>>;
  readonly servers: number;
  readonly machines: number;
  /** Whether the store outlives a server that is killed. */
  readonly isDurable: boolean;
}

/** After which a client gives up a call. Longer than most servers stand still, shorter than some. */
const patienceMs = 1_500;
/** All processes read one clock; this covers that they round it, and that it is corrected a little meanwhile. */
const slackMs = 20;

const faults = ["kill", "freeze", "freeze", "cut", "cut", "cut"] as const;

/** Several `tape serve` on one store, machines that call them over gRPC, and what goes wrong with both. */
export class Served implements AsyncDisposable {
  readonly world: World;
  /** What went wrong on purpose, and how often. */
  readonly faults: Map<string, number> = new Map();
  readonly #servers: Servers;
  readonly #tapes: readonly Tape[];
  readonly #isDurable: boolean;

  private constructor(servers: Servers, { machines, isDurable }: ServedOptions) {
    this.#servers = servers;
    this.#isDurable = isDurable;
    const connections = Array.from({ length: machines }, () =>
      servers.ports.map((port) =>
        connectTape(`tape://127.0.0.1:${port}`, { timeoutMs: patienceMs, retries: { maxAttempts: 1 } }),
      ),
    );
    this.#tapes = connections.flat();
    this.world = {
      machines: connections.map(
        (tapes, n) =>
          new Machine(
            tapes.map((tape) => () => tape),
            n,
          ),
      ),
      now: () => Date.now(),
      slackMs,
      think: (longestMs, random) => sleep(random.int(longestMs)),
    };
  }

  static async open(options: ServedOptions): Promise<Served> {
    const { program, storeUrl, servers, environment } = options;
    return new Served(await Servers.open(program, storeUrl, servers, environment), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#tapes.map((tape) => tape.close()));
    await this.#servers.close();
  }

  /** Lets something go wrong now and then, until the signal fires. Everything is up again when it resolves. */
  async trouble(random: Random, everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs / 2 + random.int(everyMs), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#fault(random);
    }
  }

  async #fault(random: Random): Promise<void> {
    const fault = random.pick(faults);
    const port = random.pick(this.#servers.ports);
    if (fault === "cut") {
      random.pick(this.world.machines).cut();
      this.#count("machines cut off");
    } else if (fault === "freeze") {
      // Long enough for leases to end meanwhile, now and then also for clients to give up.
      await this.#servers.freeze(port, 100 + random.int(1.7 * patienceMs));
      this.#count("servers stopped and continued");
    } else if (this.#isDurable) {
      await this.#servers.restart(port);
      this.#count("servers killed and restarted");
    }
  }

  #count(what: string): void {
    this.faults.set(what, (this.faults.get(what) ?? 0) + 1);
  }
}
