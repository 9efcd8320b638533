import type { Reaction } from "../../../src/model/reaction.ts";
import type { Random } from "../../../src/testing/random.ts";
import { orders } from "./orders.ts";

/** A reaction as plain data; `order` and `later` are places in {@link orders}. */
export interface ReactionPlan {
  readonly id: string;
  readonly order: number;
  /** What it is changed to in the middle of the story; the same: it is not. */
  readonly later: number;
  readonly handlerKind: "TASK" | "PUBLISH" | "AGENT";
  readonly maxConcurrency: number;
  readonly rateLimitPerS: number;
  readonly debounceMs: number;
  readonly retryMax: number;
  readonly retryBackoffMs: number;
  readonly dlqAfterN: number;
  readonly numShards: number;
  readonly bootstrapFromHead: boolean;
}

/** Places of orders that many entries match. */
const frequent = [2, 3, 6, 7, 8];

/** The application of the runs that AGENT reactions begin. */
export const startedApp = "robot";

/** Reactions of a seed. */
export const randomReactions = (random: Random, steadyClocks: boolean): readonly ReactionPlan[] =>
  Array.from({ length: random.pick([1, 1, 2]) }, (_, i) => randomReaction(`reaction-${i + 1}`, random, steadyClocks));

function randomReaction(id: string, random: Random, steadyClocks: boolean): ReactionPlan {
  const handlerKind = random.pick(["TASK", "TASK", "TASK", "PUBLISH", "AGENT", "AGENT", "AGENT"] as const);
  // Runs are begun of what there is much of, so that some are begun when something goes wrong.
  const order = handlerKind === "AGENT" ? random.pick(frequent) : random.int(orders.length);
  // Which entries a burst ends with follows from their times, of which only steady clocks make sense.
  const debounceMs = steadyClocks && random.chance(0.3) ? random.pick([300, 2000, 5000]) : 0;
  return {
    id,
    order,
    later: debounceMs === 0 && random.chance(0.3) ? random.int(orders.length) : order,
    handlerKind,
    maxConcurrency: random.pick(handlerKind === "AGENT" ? [0, 0, 2] : [0, 1, 1, 2]),
    rateLimitPerS: random.pick([0, 0, 1, 3]),
    debounceMs,
    retryMax: random.pick([0, 0, 2]),
    retryBackoffMs: random.pick([0, 100, 1000, 1000]),
    dlqAfterN: random.pick(handlerKind === "AGENT" ? [0, 0, 3] : [0, 0, 2, 3]),
    numShards: random.pick([1, 1, 2]),
    bootstrapFromHead: random.chance(0.3),
  };
}

/** What the clerk registers. */
export function requestOf(plan: ReactionPlan, isLater: boolean): Reaction {
  const { id, order, later, ...rest } = plan;
  const { pattern, predicate } = orderAt(isLater ? later : order);
  return {
    ...rest,
    reactionId: id,
    subjectPattern: pattern,
    predicateCel: predicate,
    agentApp: plan.handlerKind === "AGENT" ? startedApp : "",
    publishTarget: plan.handlerKind === "PUBLISH" ? "elsewhere" : "",
  };
}

function orderAt(place: number): (typeof orders)[number] {
  const order = orders[place];
  if (order === undefined) throw new RangeError(`there is no order ${place}`);
  return order;
}
