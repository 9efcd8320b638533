import { Engine } from "../../src/engine/engine.ts";
import type { Tape } from "../../src/model/tape.ts";
import { reactor } from "../../src/reactor/reactor.ts";
import type { Store } from "../../src/store/store.ts";
import { FakeClock } from "../../src/testing/index.ts";
import { furnish, lookAround, neverExisted, type Belongings } from "./belongings.ts";
import { disguisedQuestions, intrude, plainQuestions, RememberingStore } from "./isolation.ts";

/** Gives a tenant's own way to the engine: in process, or by a server that knows his credential. */
export type Doors = (tenant: string) => Tape;

/** A store with a tenant in it who has one of everything, and an engine that leaves him alone. */
export interface Neighbourhood {
  readonly store: RememberingStore;
  readonly engine: Engine;
  readonly victim: Belongings;
}

/** Makes it on a store that is open. */
export async function settle(inner: Store, victimName = "victim"): Promise<Neighbourhood> {
  const store = new RememberingStore(inner);
  const clock = new FakeClock();
  // The one who furnishes has reactions, which make tasks; later nobody must write in the victim's rows but intruders.
  const furnisher = new Engine({ store, clock, reactor: reactor() });
  furnisher.start();
  const own = furnisher.tape({ partition: victimName, tenant: victimName });
  const victim = await furnish(own, victimName, clock);
  await furnisher.close();
  return { store, engine: new Engine({ store, clock, reactors: false }), victim };
}

/** Names of those who intrude; the doors must know them. Two ask with names in their places, two with disguised ones. */
export const intruders = ["mallory", "nemesis", "marauder", "nihilist"] as const;

/**
 * Lets intruders ask everything about the victim, and says in a sentence each what they learn, and what of the victim
 * is no longer as it was.
 */
export async function findLeaks({ store, victim }: Neighbourhood, doors: Doors): Promise<readonly string[]> {
  const own = doors(victim.tenant);
  const before = [await lookAround(own, victim), ...(await store.contentOf(victim.tenant))];
  const nobody = neverExisted(victim);
  const pair = (curious: string, control: string): Parameters<typeof intrude>[0] => ({
    curious: { tape: doors(curious), tenant: curious },
    control: { tape: doors(control), tenant: control },
  });
  const [first, second, third, fourth] = intruders;
  const found = [
    ...(await intrude(pair(first, second), victim, nobody, plainQuestions)),
    ...(await intrude(pair(third, fourth), victim, nobody, disguisedQuestions(nobody))),
  ];
  const after = [await lookAround(own, victim), ...(await store.contentOf(victim.tenant))];
  if (after.join("\n") !== before.join("\n")) found.push("something of the victim has changed");
  return found;
}
