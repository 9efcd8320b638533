import { startActor } from "../actors/actor.ts";
import type { Area, Surroundings } from "../areas/area.ts";
import type { AreaPlan } from "../areas/area-plan.ts";
import { caretakerRound } from "../bus/caretaker.ts";
import type { Server } from "../world/server.ts";
import { CapsAuditor } from "./caps-auditor.ts";
import { inspectorRound, type Inspection } from "./inspector.ts";
import { openerRound } from "./opener.ts";
import { storyFrom, writePastRuns } from "./past-runs.ts";
import { spenderRound, type Spending } from "./spender.ts";
import { treasurerRound } from "./treasurer.ts";

const mostOpened = 25;

/** Those who set caps and ask whether something fits, and those who page through lists while others make them longer. */
export class ListsArea implements Area {
  readonly #around: Surroundings;
  readonly #caps: CapsAuditor;
  readonly #inspection: Inspection;

  constructor(around: Surroundings, { steadyClocks, longPast }: Extract<AreaPlan, { kind: "lists" }>) {
    const { now } = around.world.scheduler;
    if (longPast) writePastRuns(around.data, now);
    this.#inspection = { auditor: around.auditor, isSteady: steadyClocks, fromMs: longPast ? storyFrom(now) : 0 };
    this.#around = around;
    this.#caps = new CapsAuditor(around.world, around.auditor);
  }

  start(): void {
    const { plan, world, network, stage } = this.#around;
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
    start("opener", 700, (life) => openerRound(life, stage, opened, mostOpened));
    start("spender", 600, (life) => spenderRound(life, stage, spending));
    start("inspector", 1200, (life) => inspectorRound(life, stage, this.#inspection));
    start("caretaker", 2000, (life) => caretakerRound(life, stage));
  }

  /** Runs that were left are ended by whoever recovers them; the world need not wait for that. */
  unfinished(): string {
    return "";
  }

  async tell({ tape }: Server): Promise<readonly unknown[]> {
    const { runs } = await tape.inspect.listRuns({ pageSize: 1000, startedFromMs: this.#inspection.fromMs });
    return [runs.map(({ runId }) => runId)];
  }
}
