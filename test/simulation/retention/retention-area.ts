import type { RetentionBounds } from "../../../src/engine/retention.ts";
import { startActor } from "../actors/actor.ts";
import type { Area, Surroundings } from "../areas/area.ts";
import { caretakerRound } from "../bus/caretaker.ts";
import { archivistRound } from "./archivist.ts";
import { openerRound } from "../lists/opener.ts";
import { compactorRound } from "./compactor.ts";
import { exporterRound } from "./exporter.ts";
import { hourglassRound } from "./hourglass.ts";
import { quitterRound } from "./quitter.ts";
import { RetentionAuditor } from "./retention-auditor.ts";

/** So many short runs are begun beside those of scripts. */
const mostOpened = 5;

/** Servers that compact and delete runs when they are old, and somebody who looks at what is left. */
export class RetentionArea implements Area {
  readonly #around: Surroundings;
  readonly #bounds: RetentionBounds;

  constructor(around: Surroundings, bounds: RetentionBounds) {
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
    const opened = new Set<string>();
    const start = (
      name: "opener" | "compactor" | "archivist" | "exporter" | "quitter" | "hourglass",
      restMs: number,
      round: Parameters<typeof startActor>[4],
    ): void => {
      for (let i = 1; i <= cast[name]; i += 1) startActor(world, network, `${name}-${i}`, restMs, round);
    };
    start("compactor", 2000, (life) => compactorRound(life, stage));
    start("archivist", 1000, (life) => archivistRound(life, stage));
    start("exporter", 500, (life) => exporterRound(life, stage, opened));
    start("opener", 500, (life) => openerRound(life, stage, opened, mostOpened));
    start("quitter", 500, (life) => quitterRound(life, stage));
    start("hourglass", 2000, () => hourglassRound(world, auditor));
    // Beside a bus there is one already.
    if (plan.area.kind === "retention") {
      startActor(world, network, "caretaker-1", 4000, (life) => caretakerRound(life, stage));
    }
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
