import type { Tally } from "./tally.ts";

/** What the clients were told, and what they did in the world: what the journal must agree with in the end. */
export class Ledger {
  readonly #tally: Tally;
  readonly #runs = new Map<string, Run>();
  readonly #acts = new Map<string, number>();
  readonly #versions = new Map<string, string>();

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  get runIds(): readonly string[] {
    return [...this.#runs.keys()];
  }

  /** Writes of a run that were acknowledged. */
  acknowledged(runId: string): ReadonlySet<string> {
    return this.#run(runId).acknowledged;
  }

  wasAcknowledged(runId: string, write: string): boolean {
    return this.#run(runId).acknowledged.has(write);
  }

  acknowledge(runId: string, write: string): void {
    this.#run(runId).acknowledged.add(write);
  }

  /** The highest epoch that anyone was given. */
  epoch(runId: string): number {
    return this.#run(runId).epoch;
  }

  /** @param before The highest epoch that anyone had been given when this one was asked for. */
  lease(runId: string, owner: string, epoch: number, before: number): void {
    const run = this.#run(runId);
    const other = run.owners.get(epoch);
    if (other !== undefined && other !== owner) {
      this.#tally.violation("two owners", `run ${runId}, epoch ${epoch}: given to ${other} and to ${owner}`);
    }
    if (epoch < before) {
      this.#tally.violation("epoch fell", `run ${runId}: ${owner} was given ${epoch} after ${before} had been given`);
    }
    run.owners.set(epoch, owner);
    run.epoch = Math.max(run.epoch, epoch);
  }

  /** The act itself, out in the world, which no crash undoes. */
  act(key: string): void {
    this.#acts.set(key, this.acts(key) + 1);
  }

  acts(key: string): number {
    return this.#acts.get(key) ?? 0;
  }

  get acted(): ReadonlyMap<string, number> {
    return this.#acts;
  }

  /** A version of a value whose writer was told that it is theirs. */
  wroteVersion(key: string, version: number, writer: string): void {
    const name = `${key}@${version}`;
    const other = this.#versions.get(name);
    if (other !== undefined && other !== writer) {
      this.#tally.violation("two writers", `value ${name}: acknowledged to ${other} and to ${writer}`);
    }
    this.#versions.set(name, writer);
  }

  /** Writers by `key@version`. */
  get versions(): ReadonlyMap<string, string> {
    return this.#versions;
  }

  #run(runId: string): Run {
    const known = this.#runs.get(runId);
    if (known !== undefined) return known;
    const run: Run = { acknowledged: new Set(), owners: new Map(), epoch: 0 };
    this.#runs.set(runId, run);
    return run;
  }
}

interface Run {
  readonly acknowledged: Set<string>;
  readonly owners: Map<number, string>;
  epoch: number;
}
