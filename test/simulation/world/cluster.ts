import type { SimulatedData } from "./simulated-data.ts";
import { Server, type ServerOptions } from "./server.ts";
import type { World } from "./world.ts";

/** How long a server may stand still, or be cut off from the store: longer than leases and claims last. */
const longestPauseMs = 40_000;
const longestRestartMs = 5000;
/** How often one more server is switched off when nothing goes wrong any more, as a probability. */
const switchedOff = 0.4;

/** The servers of a world; one that has crashed comes back some time, with an empty memory and another clock. */
export class Cluster {
  readonly #world: World;
  readonly #data: SimulatedData;
  readonly #options: ServerOptions;
  readonly #servers: Server[] = [];
  #started = 0;
  /** Of servers that have crashed. */
  readonly #restarts = new Map<Server, () => void>();

  constructor(world: World, data: SimulatedData, count: number, options: ServerOptions) {
    this.#world = world;
    this.#data = data;
    this.#options = options;
    for (let i = 0; i < count; i += 1) this.#servers.push(this.#startNew());
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
    const server = this.#startNew();
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
      const ms = this.#anyTime();
      server.pausedUntil = scheduler.now + ms;
      this.#world.tell(() => `   ${server.name} stands still for ${ms} ms`);
    }
    if (faults.happens("clock-jump")) {
      const server = this.pick();
      server.skewMs = this.#skew();
      this.#world.tell(() => `   the clock of ${server.name} is set to ${server.skewMs} ms beside the true time`);
    }
    if (faults.happens("store-outage")) {
      const server = this.pick();
      const ms = this.#anyTime();
      server.cutOffUntil = scheduler.now + ms;
      this.#world.tell(() => `   ${server.name} is cut off from the store for ${ms} ms`);
    }
    if (faults.happens("long-wait")) scheduler.pass(random.int(longestPauseMs));
  }

  /** From now on all that are there stay. Those that have crashed come back, or leave it to the others to end what was begun. */
  calmDown(): void {
    for (const [server, restart] of this.#restarts) {
      const isNeeded = !this.#servers.some(({ alive }) => alive);
      if (isNeeded || this.#world.random.chance(0.3)) restart();
      else this.#servers.splice(this.#servers.indexOf(server), 1);
    }
    this.#restarts.clear();
    this.#scaleIn();
    for (const server of this.#servers) {
      server.pausedUntil = 0;
      server.cutOffUntil = 0;
    }
  }

  /** Fewer are needed now: those that are switched off leave to the others whatever they had planned to do. */
  #scaleIn(): void {
    const { random } = this.#world;
    while (this.#servers.length > 1 && random.chance(switchedOff)) {
      const [server] = this.#servers.splice(random.int(this.#servers.length), 1);
      if (server === undefined) return;
      this.#world.tell(() => `   ${server.name} is switched off for good`);
      server.crash();
    }
  }

  #crash(i: number): void {
    const server = this.#servers[i];
    if (server?.alive !== true) return;
    this.#world.tell(() => `   ${server.name} crashes`);
    server.crash();
    // One is enough to end what was begun.
    if (this.#servers.length > 1 && this.#world.faults.happens("server-gone")) {
      this.#servers.splice(i, 1);
      return;
    }
    const restart = (): void => {
      takeBack();
      // What has been due already cannot be taken back.
      if (!this.#restarts.delete(server)) return;
      const [name = "", life = "1"] = server.name.split(".");
      const next = this.#start(`${name}.${Number(life) + 1}`);
      this.#servers[this.#servers.indexOf(server)] = next;
      this.#world.tell(() => `   ${next.name} starts`);
    };
    this.#restarts.set(server, restart);
    const takeBack = this.#world.scheduler.after(this.#world.random.int(longestRestartMs), null, restart);
  }

  #startNew(): Server {
    this.#started += 1;
    return this.#start(`server-${this.#started}.1`);
  }

  #start(name: string): Server {
    return new Server(this.#world, this.#data, name, this.#skew(), this.#options);
  }

  /** Mostly a moment, in which others come in between, and sometimes longer than anything lasts. */
  #anyTime(): number {
    const { random } = this.#world;
    return random.int(random.pick([longestPauseMs / 100, longestPauseMs / 10, longestPauseMs]));
  }

  #skew(): number {
    const { random } = this.#world;
    const { widestSkewMs } = this.#options;
    return random.chance(0.3) ? 0 : random.int(2 * widestSkewMs) - widestSkewMs;
  }
}
