import { agent } from "../../bench/soak/agent.ts";
import { Caller } from "../../bench/soak/caller.ts";
import { check } from "../../bench/soak/check.ts";
import { dispatcher } from "../../bench/soak/dispatcher.ts";
import { endKey, follow } from "../../bench/soak/follower.ts";
import { Ledger } from "../../bench/soak/ledger.ts";
import { namespace, type Actor } from "../../bench/soak/scene.ts";
import { acknowledged, type Tally } from "../../bench/soak/tally.ts";
import { toTapeError } from "../../src/errors.ts";
import type { Random } from "../../src/testing/random.ts";

/** Who the load is, and whom it calls. */
export interface LoadOptions {
  readonly port: number;
  /** Agents, and a dispatcher for every eight of them, at least one. */
  readonly clients: number;
  readonly random: Random;
  readonly tally: Tally;
  readonly token: string;
}

/** The shortest that the server gives. */
const leaseMs = 1_000;
/** Of each client, between two crashes. */
const answersBetween = 4;
/** A server that was killed is back within half a second, and dies again soon. */
const longestPauseMs = 40;
/** For the feed to bring what is committed already. */
const feedPatienceMs = 120_000;

/** Agents and dispatchers that go on calling while things are killed, and know what they were told. */
export class Load {
  readonly #options: LoadOptions;
  readonly #ledger: Ledger;
  readonly #callers: Caller[] = [];
  readonly #agents: Promise<unknown>;
  readonly #dispatchers: Promise<unknown>;
  #over = false;
  #agentsLeft = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { clients, tally } = options;
    this.#ledger = new Ledger(tally);
    const dispatchers = Math.max(1, Math.floor(clients / 8));
    this.#dispatchers = Promise.all(
      names("dispatcher", dispatchers).map((name) => this.#act(dispatcher, name, () => this.#agentsLeft)),
    );
    this.#agents = Promise.all(names("agent", clients).map((name) => this.#act(agent, name, () => this.#over)));
  }

  /** Resolves when it has had some answers since it was asked, so that what is killed next is killed under load. */
  async worked(): Promise<void> {
    const { tally, clients } = this.#options;
    await Promise.race([tally.whenAcknowledged(tally.counted(acknowledged) + answersBetween * clients), this.#agents]);
  }

  /** Lets everybody finish what they have begun. */
  async finish(): Promise<void> {
    await this.#leave();
    await this.#newCaller("last").call((tape) => tape.writeValue({ namespace, key: endKey, valueJson: "true" }));
  }

  /** Compares everything that anybody was told with what is there, and with the feed. */
  async check(): Promise<void> {
    const { tally } = this.#options;
    const feed = await follow(this.#newCaller("follower"), tally, AbortSignal.timeout(feedPatienceMs));
    await check(this.#newCaller("auditor"), this.#scene(), [feed]);
  }

  async close(): Promise<void> {
    await this.#leave();
    await Promise.all(this.#callers.map((caller) => caller.close()));
  }

  /** Dispatchers stay for as long as agents may have something for them. */
  async #leave(): Promise<void> {
    this.#over = true;
    await this.#agents;
    this.#agentsLeft = true;
    await this.#dispatchers;
  }

  async #act(life: (actor: Actor) => Promise<void>, name: string, isOver: () => boolean): Promise<void> {
    try {
      await life({ ...this.#scene(), isOver, caller: this.#newCaller(name) });
    } catch (error) {
      const { reason, message } = toTapeError(error);
      this.#options.tally.violation("call failed", `${name}: ${reason}: ${message}`);
    }
  }

  #scene() {
    return { tally: this.#options.tally, ledger: this.#ledger, leaseMs, isOver: () => this.#over };
  }

  #newCaller(name: string): Caller {
    const { port, random, tally, token } = this.#options;
    const caller = new Caller(name, [port], random.fork(), tally, { token, longestPauseMs });
    this.#callers.push(caller);
    return caller;
  }
}

const names = (role: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${role}-${i + 1}`);
