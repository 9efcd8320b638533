import { startActor } from "../actors/actor.ts";
import type { Area, Surroundings } from "../areas/area.ts";
import { caretakerRound } from "../bus/caretaker.ts";
import { racerRound, type Prize } from "./racer.ts";
import { turnsRound } from "./turns.ts";

/** So many runs wait and go on all the time. */
const turning = 2;

/** Those who race for the same acts, again and again. */
export class RacesArea implements Area {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  start(): void {
    const { plan, world, network, stage } = this.#around;
    const prize: Prize = { number: 1 };
    for (let i = 1; i <= plan.cast.racer; i += 1) {
      startActor(world, network, `racer-${i}`, 100, (life) => racerRound(life, stage, prize));
    }
    for (let i = 1; i <= turning; i += 1) {
      startActor(world, network, `turns-${i}`, 20, (life) => turnsRound(life, stage, i));
    }
    startActor(world, network, "caretaker-1", 2000, (life) => caretakerRound(life, stage));
  }

  /** Races that were broken off are ended by whoever recovers runs; the world need not wait for that. */
  unfinished(): string {
    return "";
  }

  async tell(): Promise<readonly unknown[]> {
    return [];
  }
}
