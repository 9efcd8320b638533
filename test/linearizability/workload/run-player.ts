import type { Random } from "../../../src/testing/random.ts";
import type { Answer } from "../history.ts";
import type { RunInput } from "../models/run-state.ts";

/** How clients use a run. */
export interface RunPlay {
  /** Of leases and claims. */
  readonly ttlMs: number;
  /** Whether each client is an owner, or all are one. */
  readonly owners: "each" | "one";
  readonly effects: readonly string[];
  /** How often each call is chosen. */
  readonly weights: { readonly [Call in RunInput["call"]]?: number };
}

const gateNames = ["g1", "g2"] as const;
/** How many decisions are recorded at about the same time, by all who may. */
const openDecisions = 3;

/** Uses one run as its play says, from what it was answered so far. What it writes, nobody else writes. */
export class RunPlayer {
  readonly #client: string;
  readonly #random: Random;
  readonly #play: RunPlay;
  readonly #answered = new Map<string, number>();
  readonly #begun = new Set<string>();
  readonly #claimed = new Set<string>();
  #epoch: number | undefined;
  #calls = 0;

  constructor(client: string, random: Random, play: RunPlay) {
    this.#client = client;
    this.#random = random;
    this.#play = play;
  }

  next(progress: number): RunInput {
    this.#calls += 1;
    // Whoever comes first makes the run.
    return this.#calls === 1 ? this.#make("begin", progress) : this.#make(this.#choose(), progress);
  }

  learn(input: RunInput, answer: Answer): void {
    const { epoch } = answer;
    if (typeof epoch === "number" && epoch > 0) this.#epoch = epoch;
    if (input.call === "intend" && answer["refused"] === undefined) this.#begun.add(input.effect);
    if (input.call === "claim" && answer["acquired"] === true) this.#claimed.add(input.effect);
    if (input.call === "attempt" || answer["acquired"] === false) this.#claimed.clear();
    if (input.call === "await" && answer["delivered"] === true) this.#answered.set(input.gate, input.occurrence);
  }

  #choose(): RunInput["call"] {
    const weighted = Object.entries(this.#play.weights) as readonly (readonly [RunInput["call"], number])[];
    let rest = this.#random.next() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [call, weight] of weighted) {
      rest -= weight;
      if (rest < 0) return call;
    }
    return "getRun";
  }

  #make(call: RunInput["call"], progress: number): RunInput {
    const random = this.#random;
    const { ttlMs, owners, effects } = this.#play;
    const owner = owners === "one" ? "agent" : this.#client;
    const word = `${this.#client}-${this.#calls}`;
    const requestId = `${this.#client}/${random.hex(12)}`;
    // All clients go from one effect to the next, more or less together.
    const effect = effects[Math.min(effects.length - 1, Math.floor(progress * effects.length))] ?? "";
    const isEarly = "claim complete reconcile".includes(call) && !this.#begun.has(effect);
    if (isEarly && random.chance(0.8)) return this.#make("intend", progress);
    if (call === "attempt" && !this.#claimed.has(effect) && random.chance(0.8)) return this.#make("claim", progress);
    switch (call) {
      case "begin":
      case "resume":
        return { call, owner, ttlMs };
      case "getRun":
        return { call };
      case "decide":
        return { call, index: Math.floor(progress * 8) + random.int(openDecisions), response: word, ...this.#fence() };
      case "cancel":
        return { call, requestId, ...this.#fence() };
      case "await": {
        const gate = random.pick(gateNames);
        return { call, gate, occurrence: (this.#answered.get(gate) ?? 0) + 1, ...this.#fence() };
      }
      case "send":
        return { call, gate: random.pick(gateNames), resolution: word, requestId };
      case "intend":
        return { call, effect, idempotent: effects.indexOf(effect) % 2 === 0 };
      case "claim":
        return { call, effect, claimer: this.#client, ttlMs };
      case "attempt":
        return { call, effect, claimer: this.#client, error: word, inDoubt: random.chance(0.2), requestId };
      case "complete":
        return { call, effect, status: random.pick(["CONFIRMED", "FAILED", "UNKNOWN"]), response: word };
      case "reconcile":
        return { call, effect, status: random.pick(["CONFIRMED", "FAILED"]), response: word };
      case "getEffect":
        return { call, effect };
      default:
        return call satisfies never;
    }
  }

  /** The last epoch that it was given. An agent that is many is not fenced often: it fences itself off by every wait. */
  #fence(): { readonly epoch?: number } {
    const unfenced = this.#play.owners === "one" ? 0.8 : 0.3;
    return this.#epoch === undefined || this.#random.chance(unfenced) ? {} : { epoch: this.#epoch };
  }
}
