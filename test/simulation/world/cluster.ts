import type { SimulatedData } from "./simulated-data.ts";
import { Server, type ServerOptions } from "./server.ts";
import type { World } from "./world.ts";

/** How long a server may stand still: longer than leases and claims last. */
const longestPauseMs = 40_000;
const longestRestartMs = 5000;

/** The servers of a world; one that has crashed comes back some time, with an empty memory and another clock. */
export class Cluster {
  readonly #world: World;
  readonly #data: SimulatedData;
  readonly #options: ServerOptions;
  readonly #servers: Server[] = [];
  /** Of servers that have crashed. */
  readonly #restarts = new Set<() => void>();

  constructor(world: World, data: SimulatedData, count: number, options: ServerOptions) {
    this.#world = world;
    this.#data = data;
    this.#options = options;
    for (let i = 0; i < count; i += 1) this.#servers.push(this.#start(i, 1));
  }

  /** Those that live, or are thought to. */
  get servers(): readonly Server[] {
    return this.#servers;
  }

  /** One that a caller may ask; it need not be alive. */
  pick(): Server {
    return this.#world.random.pick(this.#servers);
  }

  /** Adds one that has seen nothing yet. */
  addFresh(): Server {
    const server = this.#start(this.#servers.length, 1);
    this.#servers.push(server);
    return server;
  }

  /** Tells everybody who listens that something was committed. */
  hint(): void {
    for (const { alive, store } of this.#servers) if (alive) store.hint();
  }

  /** What may happen to servers between two steps. */
  disturb(): void {
    const { faults, random, scheduler } = this.#world;
    if (faults.happens("server-crash")) this.#crash(random.int(this.#servers.length));
    if (faults.happens("server-pause")) {
      const server = this.pick();
      const ms = random.int(longestPauseMs);
      server.pausedUntil = scheduler.now + ms;
      this.#world.tell(() => `   ${server.name} stands still for ${ms} ms`);
    }
    if (faults.happens("clock-jump")) {
      const server = this.pick();
      server.skewMs = this.#skew();
      this.#world.tell(() => `   the clock of ${server.name} is set to ${server.skewMs} ms beside the true time`);
    }
    if (faults.happens("long-wait")) scheduler.pass(random.int(longestPauseMs));
  }

  /** From now on all are there and stay. */
  calmDown(): void {
    for (const restart of this.#restarts) restart();
    for (const server of this.#servers) server.pausedUntil = 0;
  }

  #crash(i: number): void {
    const server = this.#servers[i];
    if (server?.alive !== true) return;
    this.#world.tell(() => `   ${server.name} crashes`);
    server.crash();
    const restart = (): void => {
      takeBack();
      // What has been due already cannot be taken back.
      if (!this.#restarts.delete(restart)) return;
      const life = Number(server.name.split(".")[1] ?? 1) + 1;
      const next = this.#start(i, life);
      this.#servers[i] = next;
      this.#world.tell(() => `   ${next.name} starts`);
    };
    this.#restarts.add(restart);
    const takeBack = this.#world.scheduler.after(this.#world.random.int(longestRestartMs), null, restart);
  }

  #start(i: number, life: number): Server {
    const name = `server-${i + 1}.${life}`;
    return new Server(this.#world, this.#data, name, this.#skew(), this.#options);
  }

  #skew(): number {
    const { random } = this.#world;
    const { widestSkewMs } = this.#options;
    return random.chance(0.3) ? 0 : random.int(2 * widestSkewMs) - widestSkewMs;
  }
}
