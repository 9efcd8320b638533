import { startActor } from "../actors/actor.ts";
import { agentRound } from "../actors/agent.ts";
import { chatterRound, newChat, type Chat } from "../actors/chatter.ts";
import { compensatorRound } from "../actors/compensator.ts";
import { dispatcherRound } from "../actors/dispatcher.ts";
import { FeedReader } from "../actors/feed-reader.ts";
import { operatorRound } from "../actors/operator.ts";
import { reconcilerRound } from "../actors/reconciler.ts";
import { RunCalls } from "../actors/run-calls.ts";
import { lettersOf, signallerRound, type Letter } from "../actors/signaller.ts";
import type { Stage } from "../actors/stage.ts";
import { writerRound } from "../actors/writer.ts";
import type { Area, Surroundings } from "../areas/area.ts";
import { Promises } from "../audit/promises.ts";
import { tellAll, unfinished } from "../survey.ts";
import { Ledger } from "../world/ledger.ts";
import { Network, type Tenant } from "../world/network.ts";
import type { Server } from "../world/server.ts";

const partition = "acme";

/** The tenant of everybody else in a world with neighbours. */
export const homeTenant: Tenant = { partition: "", mark: "home~", strangers: "acme~" };

/** Another tenant of the same servers, with the same runs, sessions, values and business keys by name. */
export class TenantsArea implements Area {
  readonly #around: Surroundings;
  readonly #network: Network;
  readonly #stage: Stage;
  readonly #letters: readonly Letter[];
  readonly #chat: Chat;
  readonly #reader: FeedReader;

  constructor(around: Surroundings) {
    this.#around = around;
    const { world, cluster, book, auditor, plan } = around;
    this.#network = new Network(world, cluster, book, { partition, mark: "acme~", strangers: "home~" });
    const promises = new Promises(world, auditor, partition);
    const calls = new RunCalls(promises);
    this.#stage = { world, ledger: new Ledger(world), promises, calls, scripts: plan.scripts, begun: new Map() };
    this.#letters = plan.scripts.flatMap(lettersOf);
    this.#chat = newChat(1);
    this.#reader = new FeedReader(world, this.#network, auditor, "acme~reader", partition);
  }

  start(): void {
    const { world, plan } = this.#around;
    const stage = this.#stage;
    if (plan.cast.neighbour === 0) return;
    const start = (name: string, restMs: number, round: Parameters<typeof startActor>[4]): void => {
      startActor(world, this.#network, name, restMs, round);
    };
    const untilCalm = async (round: () => Promise<void>): Promise<void> => {
      if (!world.calm) await round();
    };
    start("agent-1", 500, (life) => agentRound(life, stage));
    start("dispatcher-1", 1500, (life) => dispatcherRound(life, stage));
    start("compensator-1", 1500, (life) => compensatorRound(life, stage));
    start("reconciler-1", 3000, (life) => reconcilerRound(life, stage));
    start("operator-1", 4000, (life) => operatorRound(life, stage));
    start("signaller-1", 2000, (life) => signallerRound(life, stage, this.#letters));
    start("writer-1", 1000, (life) => untilCalm(() => writerRound(life, stage)));
    start("chatter-1", 1500, (life) => untilCalm(() => chatterRound(life, stage, this.#chat)));
    this.#reader.start();
  }

  unfinished(): string {
    const { auditor, plan } = this.#around;
    if (plan.cast.neighbour === 0) return "";
    return unfinished(this.#stage, auditor, this.#letters, [this.#reader]);
  }

  tell(server: Server): Promise<readonly unknown[]> {
    return tellAll(this.#network.tapeOf(server), this.#stage, [this.#chat]);
  }
}
