import type { AgentProgram } from "../agent-process.ts";
import type { WorldKind } from "../assignment.ts";

/** Something whose agents are killed. */
export interface System {
  /** With its store, for the table. */
  readonly name: string;
  readonly version: string;
  /** In which worlds it makes a difference. */
  readonly worlds: readonly WorldKind[];
  /** Brings up what outlives the agents: servers, databases, folders. */
  open(world: WorldKind): Promise<Host>;
}

/** What outlives the agents, for as long as a system is tried in one world. */
export interface Host extends AsyncDisposable {
  /** Where the runs of one batch live. */
  newPlace(): Promise<Place>;
}

/** Where the runs of one batch live. */
export interface Place extends AsyncDisposable {
  readonly program: AgentProgram;
}

/** Everything of {@link Host} where one place serves all batches. */
export function onePlace(program: AgentProgram, close: () => Promise<void>): Host {
  return {
    newPlace: async () => ({ program, [Symbol.asyncDispose]: async () => undefined }),
    [Symbol.asyncDispose]: close,
  };
}
