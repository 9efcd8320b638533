import { seededRandom, type Random } from "../../../src/testing/random.ts";
import { Faults, type Muted } from "./faults.ts";
import { Scheduler } from "./scheduler.ts";
import type { InvariantName, Violation } from "./violation.ts";

/** How many steps a slow one waits. */
const shortestDelay = 10;
const longestDelay = 150;

/** What everything in one simulated world shares. */
export class World {
  /** For what actors and servers do. */
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** The first thing that was found to be wrong. */
  violation: Violation | null = null;
  /** Nothing goes wrong any more, and what was begun is to be finished. */
  calm = false;
  /** Everything is done, nobody does anything any more. */
  over = false;
  readonly #tell: ((line: string) => void) | null;
  #names = 0;

  /** @param tell Gets the story, line by line. */
  constructor(seed: number, muted: Muted, tell: ((line: string) => void) | null) {
    const source = seededRandom(seed);
    this.random = source.fork();
    const steps = source.fork();
    this.scheduler = new Scheduler(steps, () =>
      this.faults.happens("slow-step") ? shortestDelay + steps.int(longestDelay) : 0,
    );
    this.#tell = tell;
    this.faults = new Faults(source.fork(), muted, (kind, ordinal) => {
      this.tell(() => `!! fault ${ordinal}: ${kind}`);
    });
  }

  /** Adds a line to the story. */
  tell(line: () => string): void {
    if (this.#tell === null) return;
    const { taken, now } = this.scheduler;
    const time = new Date(now).toISOString().slice(11, 23);
    this.#tell(`${String(taken).padStart(5)} ${time}  ${line()}`);
  }

  /** Something is wrong; the first one counts. */
  violated(invariant: InvariantName, what: string): void {
    if (this.violation !== null) return;
    this.violation = { invariant, what };
    this.tell(() => `XX ${invariant}: ${what}`);
  }

  /** A number that was not given before. */
  number(): number {
    this.#names += 1;
    return this.#names;
  }
}
