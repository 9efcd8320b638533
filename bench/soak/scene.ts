import type { Caller } from "./caller.ts";
import type { Ledger } from "./ledger.ts";
import type { Tally } from "./tally.ts";

/** What every client of a soak has to do with. */
export interface Scene {
  readonly tally: Tally;
  readonly ledger: Ledger;
  /** How long leases and claims last: the shortest that the server gives, so that many of them expire. */
  readonly leaseMs: number;
  /** From then on nothing new is begun, and what was begun is brought to its end. */
  readonly isOver: () => boolean;
}

/** A client with the scene it acts in. */
export interface Actor extends Scene {
  readonly caller: Caller;
}

/** Steps of a run. */
export const steps = 5;
export const connector = "bank";
export const scope = "transfer";
/** Of values. */
export const namespace = "soak";
/** Values that all agents write. */
export const sharedValues = 4;
/** Every run spends 1 token in its first step, 2 in its second and so on. */
export const tokensOfRun: number = (steps * (steps + 1)) / 2;
