import { startActor } from "../actors/actor.ts";
import type { Area, Surroundings } from "../areas/area.ts";
import type { AreaPlan } from "../areas/area-plan.ts";
import { caretakerRound } from "../bus/caretaker.ts";
import type { Server } from "../world/server.ts";
import { CapsAuditor } from "./caps-auditor.ts";
import { inspectorRound } from "./inspector.ts";
import { openerRound } from "./opener.ts";
import { spenderRound, type Spending } from "./spender.ts";
import { treasurerRound } from "./treasurer.ts";

/** Those who set caps and ask whether something fits, and those who page through lists while others make them longer. */
export class ListsArea implements Area {
  readonly #around: Surroundings;
  readonly #caps: CapsAuditor;
  readonly #isSteady: boolean;

  constructor(around: Surroundings, { steadyClocks }: Extract<AreaPlan, { kind: "lists" }>) {
    this.#isSteady = steadyClocks;
    this.#around = around;
    this.#caps = new CapsAuditor(around.world, around.auditor);
  }

  start(): void {
    const { plan, world, network, stage, auditor } = this.#around;
    const opened = new Set<string>();
    const spending: Spending = new Map();
    const start = (
      name: "treasurer" | "opener" | "spender" | "inspector" | "caretaker",
      restMs: number,
      round: Parameters<typeof startActor>[4],
    ): void => {
      for (let i = 1; i <= plan.cast[name]; i += 1) startActor(world, network, `${name}-${i}`, restMs, round);
    };
    start("treasurer", 800, (life) => treasurerRound(life, stage, this.#caps));
    start("opener", 700, (life) => openerRound(life, stage, opened));
    start("spender", 600, (life) => spenderRound(life, stage, spending));
    start("inspector", 1200, (life) => inspectorRound(life, stage, auditor, this.#isSteady));
    start("caretaker", 2000, (life) => caretakerRound(life, stage));
  }

  /** Runs that were left are ended by whoever recovers them; the world need not wait for that. */
  unfinished(): string {
    return "";
  }

  async tell({ tape }: Server): Promise<readonly unknown[]> {
    const { runs } = await tape.inspect.listRuns({ pageSize: 1000 });
    return [runs.map(({ runId }) => runId)];
  }
}
