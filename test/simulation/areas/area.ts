import type { Stage } from "../actors/stage.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { Plan } from "../plan.ts";
import type { CallBook } from "../world/call-book.ts";
import type { Cluster } from "../world/cluster.ts";
import type { Network } from "../world/network.ts";
import type { Server } from "../world/server.ts";
import type { SimulatedData } from "../world/simulated-data.ts";
import type { World } from "../world/world.ts";

/** What a world has beside the runs and those who drive them. */
export interface Area {
  /** Lets those who belong to it begin. */
  start(): void;
  /** What is left to be done before the world is at rest; empty: nothing. */
  unfinished(): string;
  /** Everything that a server says about it when the world is at rest. */
  tell(server: Server): Promise<readonly unknown[]>;
}

/** What an area works with. */
export interface Surroundings {
  readonly plan: Plan;
  readonly world: World;
  readonly data: SimulatedData;
  readonly book: CallBook;
  readonly cluster: Cluster;
  readonly auditor: Auditor;
  readonly network: Network;
  readonly stage: Stage;
}
