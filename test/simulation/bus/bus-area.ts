import { runRow, partitionOf, runIdOf } from "../../../src/codec/row-id.ts";
import { startActor } from "../actors/actor.ts";
import type { Area, Surroundings } from "../areas/area.ts";
import type { AreaPlan } from "../areas/area-plan.ts";
import { isOver } from "../audit/run-record.ts";
import type { Server } from "../world/server.ts";
import { BusAuditor } from "./bus-auditor.ts";
import { isFinal, type ReactionRecord, type TaskHead } from "./bus-record.ts";
import { caretakerRound } from "./caretaker.ts";
import { clerkRound, type Standing } from "./clerk.ts";
import { startedApp } from "./reaction-plan.ts";
import { workerRound } from "./worker.ts";

const widestDoubtMs = 40_000;

/** Reactions, their tasks, and who works on them. */
export class BusArea implements Area {
  readonly #around: Surroundings;
  readonly #bus: BusAuditor;
  readonly #standings: readonly Standing[];

  constructor(around: Surroundings, { reactions, steadyClocks, bounds }: Extract<AreaPlan, { kind: "bus" }>) {
    this.#around = around;
    const { auditor } = around;
    this.#bus = new BusAuditor(around, steadyClocks ? 0 : widestDoubtMs, bounds ?? {});
    this.#standings = reactions.map((plan) => ({ plan, isLater: false, isRegistered: false, leaving: "" }));
    auditor.alsoRead.add((commit) => {
      this.#bus.read(commit);
    });
  }

  start(): void {
    const { plan, world, network, stage } = this.#around;
    const bus = this.#bus;
    const standings = this.#standings;
    const plans = standings.map((standing) => standing.plan).filter(({ handlerKind }) => handlerKind !== "AGENT");
    startActor(world, network, "clerk-1", 400, (life) => clerkRound(life, stage, bus, standings));
    startActor(world, network, "caretaker-1", 1000, (life) => caretakerRound(life, stage));
    for (let i = 1; i <= plan.cast.worker && plans.length > 0; i += 1) {
      startActor(world, network, `worker-${i}`, 600, (life) => workerRound(life, stage, bus, plans));
    }
  }

  unfinished(): string {
    const { feed } = this.#around.auditor;
    for (const { plan, isRegistered, isLater } of this.#standings) {
      if (!isRegistered || isLater !== (plan.later !== plan.order)) return `${plan.id} is not registered`;
      const reaction = this.#bus.of(plan.id);
      if (reaction.revisions.at(-1)?.head.deleted === true) {
        const what = `${plan.id} was taken out by a copy of a call that came before it was registered again`;
        this.#around.world.violated("request-counts-once", what);
      }
      const missing = this.#bus.missing(reaction, 0, feed.length);
      if (missing !== undefined) return `entry ${missing} matches ${plan.id} and has no task`;
      // Behind the last entry that is still there nobody can get.
      const behind = this.#behind(reaction, feed.findLastIndex(({ gone }) => !gone) + 1);
      if (behind !== "") return behind;
      for (const [position, task] of reaction.tasks) {
        if (reaction.removed.has(position)) continue;
        if (!isFinal(task)) return `${task.task_id} of ${plan.id} is ${task.status}`;
        const run = this.#runOf(reaction, task);
        if (run !== "") return run;
      }
    }
    return "";
  }

  /** A cursor that was not written up to the end: whoever takes the shard next would begin there. */
  #behind({ revisions, shards }: ReactionRecord, end: number): string {
    const last = revisions.at(-1)?.head;
    if (last === undefined || last.deleted) return "";
    const first = [...shards].find(([, { generation, cursor }]) => generation === last.generation && cursor < end);
    return first === undefined ? "" : `${first[0]} is at ${first[1].cursor}, the feed at ${end}`;
  }

  /** What is left to be done with the run that a task of an AGENT reaction stands for. */
  #runOf({ id, revisions }: ReactionRecord, { task_id: taskId, status }: TaskHead): string {
    if (revisions.at(-1)?.head.handler_kind !== "AGENT" || status !== "DONE") return "";
    const identity = { tenantId: "", appName: startedApp, userId: "", sessionId: taskId, invocationId: taskId };
    const run = this.#around.auditor.runs.get(runRow(partitionOf(""), runIdOf(identity)));
    if (run === undefined) {
      this.#around.world.violated("one-run-a-task", `${taskId} of ${id} is DONE, but it has begun no run`);
      return "";
    }
    return isOver(run.status) ? "" : `the run of ${taskId} is ${run.status}`;
  }

  async tell({ tape }: Server): Promise<readonly unknown[]> {
    const { tasks } = await tape.listTasks({ limit: 1000 });
    const ids = tasks.map(({ taskId }) => taskId);
    if (new Set(ids).size < ids.length) {
      this.#around.world.violated("list-is-whole", `ListTasks has a task twice: ${ids.join(", ")}`);
    }
    return [await tape.listReactions({}), tasks];
  }
}
