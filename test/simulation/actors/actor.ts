import { TapeError } from "../../../src/errors.ts";
import type { CallSpec, Network } from "../world/network.ts";
import type { World } from "../world/world.ts";

const never = (): Promise<never> => new Promise(() => {});
const longestDeathMs = 3000;
/** When nothing goes wrong any more, looking less often for work brings the end nearer in steps. */
const calmer = 4;

/** One life of an actor: a process that may die between any two of its steps. */
export class Life {
  /** Unique: another life has another name. */
  readonly name: string;
  readonly world: World;
  readonly network: Network;
  readonly #onDeath: () => void;
  #alive = true;

  constructor(world: World, network: Network, name: string, onDeath: () => void) {
    this.world = world;
    this.network = network;
    this.name = name;
    this.#onDeath = onDeath;
  }

  /** Makes a call. Errors: as the server's. */
  async call<T>(spec: CallSpec<T>): Promise<T> {
    await this.crossroads();
    try {
      return await this.network.call(this.name, spec);
    } finally {
      await this.crossroads();
    }
  }

  async sleep(ms: number): Promise<void> {
    await this.network.sleep(ms);
    await this.crossroads();
  }

  /** Here it may die: then nothing that comes after is ever done. */
  async crossroads(): Promise<void> {
    if (this.#alive && this.world.faults.happens("actor-death")) {
      this.world.tell(() => `   ${this.name} dies`);
      this.#alive = false;
      this.#onDeath();
    }
    if (!this.#alive || this.world.over) await never();
  }

  /** A fresh request id. */
  requestId(): string {
    return `q${this.world.number()}`;
  }
}

/** What somebody else was faster with, or the weather: everyday answers, after which one looks again. */
const everyday: ReadonlySet<string> = new Set(["UNAVAILABLE", "ABORTED", "FAILED_PRECONDITION", "NOT_FOUND"]);

/** Whether an error is an everyday answer. */
const isEveryday = (error: unknown): boolean => error instanceof TapeError && everyday.has(error.code);

/** Starts an actor that does rounds of work for ever, and lives again after it has died. */
export function startActor(
  world: World,
  network: Network,
  name: string,
  restMs: number,
  round: (life: Life) => Promise<void>,
): void {
  let lives = 0;
  const live = (): void => {
    lives += 1;
    const life = new Life(world, network, `${network.mark}${name}.${lives}`, () => {
      world.scheduler.after(world.random.int(longestDeathMs), null, live);
    });
    void work(life);
  };
  const work = async (life: Life): Promise<void> => {
    for (;;) {
      try {
        await life.sleep(world.random.int(world.calm ? calmer * restMs : restMs));
        await round(life);
      } catch (error) {
        if (!isEveryday(error)) world.violated("no-surprise", `${life.name}: ${String(error)}`);
      }
    }
  };
  live();
}
