import { startActor } from "../actors/actor.ts";
import type { Area, Surroundings } from "../areas/area.ts";
import { memberRound } from "./member.ts";

/** Many who read and write the same row at the same time, by whichever server. */
export class CrowdArea implements Area {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  start(): void {
    const { plan, world, network, stage } = this.#around;
    for (let i = 1; i <= plan.cast.member; i += 1) {
      startActor(world, network, `member-${i}`, 100, (life) => memberRound(life, stage));
    }
  }

  unfinished(): string {
    return "";
  }

  async tell(): Promise<readonly unknown[]> {
    return [];
  }
}
