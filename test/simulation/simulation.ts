import { startActor } from "./actors/actor.ts";
import { agentRound } from "./actors/agent.ts";
import { chatterRound, newChat, type Chat } from "./actors/chatter.ts";
import { compensatorRound } from "./actors/compensator.ts";
import { dispatcherRound } from "./actors/dispatcher.ts";
import { FeedReader } from "./actors/feed-reader.ts";
import { operatorRound } from "./actors/operator.ts";
import { reconcilerRound } from "./actors/reconciler.ts";
import { RunCalls } from "./actors/run-calls.ts";
import { lettersOf, signallerRound, type Letter } from "./actors/signaller.ts";
import type { Stage } from "./actors/stage.ts";
import { timekeeperRound } from "./actors/timekeeper.ts";
import { writerRound } from "./actors/writer.ts";
import { Auditor } from "./audit/auditor.ts";
import { Promises } from "./audit/promises.ts";
import { homeTenant } from "./tenants/tenants-area.ts";
import { areaOf } from "./areas/area-of.ts";
import type { Area } from "./areas/area.ts";
import type { Plan } from "./plan.ts";
import { difference, tellAll, unfinished } from "./survey.ts";
import { CallBook } from "./world/call-book.ts";
import { Cluster } from "./world/cluster.ts";
import { Ledger } from "./world/ledger.ts";
import { Network } from "./world/network.ts";
import type { Server } from "./world/server.ts";
import { SimulatedData } from "./world/simulated-data.ts";
import type { Violation } from "./world/violation.ts";
import { World } from "./world/world.ts";

/** How a simulated world ended. */
export interface Result {
  readonly violation: Violation | null;
  readonly steps: number;
  readonly faults: number;
  readonly entries: number;
}

/** What was begun is finished within so many steps once nothing goes wrong any more. */
const mostCalmSteps = 60_000;
const stepsBetweenLooks = 16;
const pauseMs = 1000;

/** One world with everything in it. */
class Simulation {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #auditor: Auditor;
  readonly #network: Network;
  readonly #stage: Stage;
  readonly #letters: readonly Letter[];
  readonly #chats: readonly Chat[];
  readonly #readers: readonly FeedReader[];
  readonly #area: Area;

  /** @param tell Gets the story, line by line. */
  constructor(plan: Plan, tell: ((line: string) => void) | null = null) {
    this.#plan = plan;
    const world = new World(plan.seed, plan.muted, tell);
    this.#world = world;
    const data = new SimulatedData();
    const book = new CallBook();
    this.#cluster = new Cluster(world, data, plan.servers, plan.options);
    this.#auditor = new Auditor(world, data, book, () => {
      this.#cluster.hint();
    });
    data.listener = this.#auditor;
    this.#network = new Network(world, this.#cluster, book, plan.area.kind === "tenants" ? homeTenant : undefined);
    const promises = new Promises(world, this.#auditor);
    const { scripts, cast } = plan;
    const ledger = new Ledger(world);
    this.#stage = { world, ledger, promises, calls: new RunCalls(promises), scripts, begun: new Map() };
    this.#letters = scripts.flatMap(lettersOf);
    this.#chats = Array.from({ length: cast.chatter }, (_, i) => newChat(i + 1));
    this.#readers = Array.from(
      { length: cast.reader },
      (_, i) => new FeedReader(world, this.#network, this.#auditor, `reader-${i + 1}`),
    );
    this.#area = areaOf({
      plan,
      world,
      data,
      book,
      cluster: this.#cluster,
      auditor: this.#auditor,
      network: this.#network,
      stage: this.#stage,
    });
  }

  /** Lets everything happen. */
  async run(): Promise<Result> {
    this.#startAll();
    await this.#troubled();
    if (this.#world.violation === null) await this.#calm();
    if (this.#world.violation === null) await this.#compareServers();
    const { violation, scheduler, faults } = this.#world;
    return { violation, steps: scheduler.taken, faults: faults.count, entries: this.#auditor.feed.length };
  }

  #startAll(): void {
    const { cast } = this.#plan;
    const stage = this.#stage;
    const taken = new Set<string>();
    this.#start("agent", cast.agent, 500, (life) => agentRound(life, stage));
    this.#start("dispatcher", cast.dispatcher, 1500, (life) => dispatcherRound(life, stage));
    this.#start("compensator", cast.compensator, 1500, (life) => compensatorRound(life, stage));
    this.#start("reconciler", cast.reconciler, 3000, (life) => reconcilerRound(life, stage));
    this.#start("operator", cast.operator, 4000, (life) => operatorRound(life, stage));
    this.#start("signaller", cast.signaller, 2000, (life) => signallerRound(life, stage, this.#letters));
    this.#start("timekeeper", cast.timekeeper, 3000, (life) => timekeeperRound(life, stage, taken));
    this.#start("writer", cast.writer, 1000, (life) => this.#untilCalm(() => writerRound(life, stage)));
    for (const chat of this.#chats) {
      this.#start(`chatter of ${chat.sessionId}`, 1, 1500, (life) =>
        this.#untilCalm(() => chatterRound(life, stage, chat)),
      );
    }
    for (const reader of this.#readers) reader.start();
    this.#area.start();
  }

  #start(name: string, count: number, restMs: number, round: Parameters<typeof startActor>[4]): void {
    for (let i = 1; i <= count; i += 1) startActor(this.#world, this.#network, `${name}-${i}`, restMs, round);
  }

  /** Does what leaves nothing to be finished only while things go wrong. */
  async #untilCalm(round: () => Promise<void>): Promise<void> {
    if (!this.#world.calm) await round();
  }

  async #troubled(): Promise<void> {
    const { scheduler } = this.#world;
    while (this.#world.violation === null && scheduler.taken < this.#plan.troubledSteps) {
      this.#cluster.disturb();
      if (!(await scheduler.step())) return;
    }
  }

  /** Nothing goes wrong any more, so everything must come to its end. */
  async #calm(): Promise<void> {
    const world = this.#world;
    world.calm = true;
    world.faults.calmDown();
    this.#cluster.calmDown();
    world.tell(() => "   from now on nothing goes wrong");
    const last = world.scheduler.taken + mostCalmSteps;
    let left = "";
    while (world.violation === null) {
      if (world.scheduler.taken % stepsBetweenLooks === 0) {
        left = unfinished(this.#stage, this.#auditor, this.#letters, this.#readers) || this.#area.unfinished();
        if (left === "") return;
      }
      if (world.scheduler.taken > last || !(await world.scheduler.step())) {
        world.violated("work-gets-done", `${left}, though nothing has gone wrong for ${mostCalmSteps} steps`);
      }
    }
  }

  /** Servers with caches, and one that reads everything anew, say the same. */
  async #compareServers(): Promise<void> {
    const world = this.#world;
    world.over = true;
    const fresh = this.#cluster.addFresh();
    for (const server of this.#cluster.servers) server.skewMs = 0;
    for (const server of this.#cluster.servers) {
      let commits = -1;
      // What is still under way when everybody stops may yet be written.
      while (commits !== this.#auditor.commits && world.violation === null) {
        commits = this.#auditor.commits;
        const told = await this.#ask(() => this.#tell(server));
        const expected = await this.#ask(() => this.#tell(fresh));
        const where = difference(told, expected);
        if (where !== "" && commits === this.#auditor.commits) {
          world.violated("servers-agree", `${server.name} says, beside a server with an empty memory, ${where}`);
        }
      }
    }
  }

  async #tell(server: Server): Promise<readonly unknown[]> {
    return [...(await tellAll(server.tape, this.#stage, this.#chats)), ...(await this.#area.tell(server))];
  }

  /** Takes steps until there is an answer. */
  async #ask(question: () => Promise<readonly unknown[]>): Promise<readonly unknown[]> {
    const asked: { answer?: readonly unknown[] } = {};
    const again = (): void => {
      question().then(
        (told) => {
          asked.answer = told;
        },
        // It may still be busy with what there was before everything became calm.
        () => this.#network.sleep(pauseMs).then(again),
      );
    };
    again();
    const { scheduler } = this.#world;
    const last = scheduler.taken + mostCalmSteps;
    while (asked.answer === undefined && this.#world.violation === null) {
      if (scheduler.taken > last || !(await scheduler.step())) {
        this.#world.violated("work-gets-done", "a server does not answer, though nothing goes wrong");
      }
    }
    return asked.answer ?? [];
  }
}

/** Runs a plan from its start to its end. */
export const simulate = (plan: Plan, tell: ((line: string) => void) | null = null): Promise<Result> =>
  new Simulation(plan, tell).run();
