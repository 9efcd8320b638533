import type { Promises } from "../audit/promises.ts";
import type { Ledger } from "../world/ledger.ts";
import type { World } from "../world/world.ts";
import type { RunCalls } from "./run-calls.ts";
import type { Script } from "./script.ts";

/** What the actors of a world know of each other and of the world. */
export interface Stage {
  readonly world: World;
  readonly ledger: Ledger;
  readonly promises: Promises;
  readonly calls: RunCalls;
  readonly scripts: readonly Script[];
  /** Numbers of the runs that somebody was told have begun, with their ids. */
  readonly begun: Map<number, string>;
}

/** The script of a run that has begun. */
export function scriptOf(stage: Pick<Stage, "scripts" | "begun">, runId: string): Script | undefined {
  return stage.scripts.find(({ number }) => stage.begun.get(number) === runId);
}
