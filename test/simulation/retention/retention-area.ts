import { startActor } from "../actors/actor.ts";
import type { Area, Surroundings } from "../areas/area.ts";
import type { AreaPlan } from "../areas/area-plan.ts";
import { caretakerRound } from "../bus/caretaker.ts";
import { archivistRound } from "./archivist.ts";
import { compactorRound } from "./compactor.ts";
import { hourglassRound } from "./hourglass.ts";
import { RetentionAuditor } from "./retention-auditor.ts";

/** Servers that compact and delete runs when they are old, and somebody who looks at what is left. */
export class RetentionArea implements Area {
  readonly #around: Surroundings;
  readonly #bounds: Extract<AreaPlan, { kind: "retention" }>["bounds"];

  constructor(around: Surroundings, { bounds }: Extract<AreaPlan, { kind: "retention" }>) {
    this.#around = around;
    this.#bounds = bounds;
    const isByHand = around.plan.cast.compactor > 0;
    const rules = new RetentionAuditor(around, bounds, isByHand);
    around.auditor.alsoRead.add((commit) => {
      rules.read(commit);
    });
  }

  start(): void {
    const { plan, world, network, stage, auditor } = this.#around;
    const { cast } = plan;
    for (let i = 1; i <= cast.compactor; i += 1) {
      startActor(world, network, `compactor-${i}`, 2000, (life) => compactorRound(life, stage));
    }
    for (let i = 1; i <= cast.archivist; i += 1) {
      startActor(world, network, `archivist-${i}`, 1000, (life) => archivistRound(life, stage));
    }
    if (cast.hourglass > 0) {
      startActor(world, network, "hourglass", 2000, () => hourglassRound(world, auditor));
    }
    startActor(world, network, "caretaker-1", 4000, (life) => caretakerRound(life, stage));
  }

  unfinished(): string {
    const { payloadsMs, runsMs } = this.#bounds;
    for (const [row, { deleted, compactedSeq }] of this.#around.auditor.runs) {
      if (runsMs !== undefined && !deleted) return `${row} is old, but not deleted`;
      if (payloadsMs !== undefined && !deleted && compactedSeq === 0) return `${row} is old, but not compacted`;
    }
    return "";
  }

  async tell(): Promise<readonly unknown[]> {
    return [];
  }
}
