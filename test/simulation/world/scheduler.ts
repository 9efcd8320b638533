import type { Random } from "../../../src/testing/random.ts";

/** Somebody whose steps can be held up: a server that stands still. */
export interface Owner {
  /** Until when it stands still, in the world's time. */
  pausedUntil: number;
}

/** Something that can happen next. */
interface Step {
  readonly owner: Owner | null;
  readonly run: () => void;
  /** Nobody's promise is settled by it, so that nothing has to be waited for. */
  readonly quiet: boolean;
  /** It has to wait until so many steps were taken, unless there is nothing else to do. */
  readonly notBefore: number;
}

interface Sleeper {
  readonly at: number;
  readonly owner: Owner | null;
  readonly wake: () => void;
}

/**
 * Owns every asynchronous step of a simulated world, and its time. Whatever could happen next is in one list, the seed
 * picks from it, and nothing else moves: no timer, no socket, no other thread. So a seed repeats a story exactly.
 */
export class Scheduler {
  /** The world's time, milliseconds since 1970. */
  now: number = Date.UTC(2026, 0, 1);
  /** Steps taken so far. */
  taken = 0;
  readonly #random: Random;
  readonly #delay: () => number;
  #ready: Step[] = [];
  #sleepers: Sleeper[] = [];

  /** @param delay How many steps a new one has to wait. */
  constructor(random: Random, delay: () => number) {
    this.#random = random;
    this.#delay = delay;
  }

  /** This can happen from now on, once. */
  add(owner: Owner | null, run: () => void): void {
    this.#ready.push({ owner, run, quiet: false, notBefore: this.taken + this.#delay() });
  }

  /** Like {@link add}, for what only changes what lies in the store or on the wire. */
  addQuiet(run: () => void): void {
    this.#ready.push({ owner: null, run, quiet: true, notBefore: this.taken + this.#delay() });
  }

  /** This can happen when so much time has passed; call the answer to take it back. */
  after(ms: number, owner: Owner | null, wake: () => void): () => void {
    const sleeper = { at: this.now + Math.max(0, ms), owner, wake };
    this.#sleepers.push(sleeper);
    return () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    };
  }

  /** Time passes for everybody. */
  pass(ms: number): void {
    this.now += ms;
  }

  /** Takes one step, the one that the seed picks; lets time pass until there is one. False: nothing can happen ever. */
  async step(): Promise<boolean> {
    let eligible = this.#eligible();
    while (eligible.length === 0) {
      const next = this.#nextTime();
      if (next === Infinity) return false;
      this.now = Math.max(this.now + 1, next);
      eligible = this.#eligible();
    }
    const step = this.#random.pick(eligible);
    this.#ready.splice(this.#ready.indexOf(step), 1);
    this.taken += 1;
    this.now += this.#random.int(12);
    step.run();
    if (!step.quiet) await settle();
    return true;
  }

  #eligible(): Step[] {
    this.#wakeSleepers();
    const awake = this.#ready.filter(({ owner }) => owner === null || owner.pausedUntil <= this.now);
    const prompt = awake.filter(({ notBefore }) => notBefore <= this.taken);
    return prompt.length > 0 ? prompt : awake;
  }

  #wakeSleepers(): void {
    if (!this.#sleepers.some(({ at }) => at <= this.now)) return;
    const due = this.#sleepers.filter(({ at }) => at <= this.now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.now);
    for (const { owner, wake } of due) this.add(owner, wake);
  }

  #nextTime(): number {
    let next = Infinity;
    for (const { at } of this.#sleepers) next = Math.min(next, at);
    for (const { owner } of this.#ready) next = Math.min(next, owner?.pausedUntil ?? Infinity);
    return next;
  }
}

/** Lets everything happen that follows from a step without another one: promises, and the engine's own turn. */
async function settle(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}
