import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import type { BusAuditor } from "./bus-auditor.ts";
import { requestOf, type ReactionPlan } from "./reaction-plan.ts";

/** How long a reaction is out of use. */
const longestOutMs = 30_000;

/** How a reaction stands by its clerk's book. */
export interface Standing {
  readonly plan: ReactionPlan;
  /** Its definition is the later one. */
  isLater: boolean;
  isRegistered: boolean;
  /** The request id by which it is being taken out: until that is answered a copy may still come. Empty: it is not. */
  leaving: string;
}

/** One round of a clerk: registers reactions, changes them, takes one out and registers it again. */
export async function clerkRound(
  life: Life,
  { promises }: Stage,
  bus: BusAuditor,
  standings: readonly Standing[],
): Promise<void> {
  const { random, calm } = life.world;
  const standing = standings.find(({ isRegistered }) => !isRegistered) ?? random.pick(standings);
  const { plan } = standing;
  if (standing.isRegistered && !calm && random.chance(0.15)) {
    standing.isRegistered = false;
    standing.leaving = life.requestId();
  }
  if (standing.leaving !== "") {
    await life.call({
      method: "DeregisterReaction",
      about: plan.id,
      options: { requestId: standing.leaving },
      send: (tape, options) => tape.deregisterReaction({ reactionId: plan.id }, options),
    });
    standing.leaving = "";
    // Out of use, for long enough that retention takes what it has left open.
    if (random.chance(0.3)) await life.sleep(random.int(longestOutMs));
    return;
  }
  if (!standing.isLater && plan.later !== plan.order && (calm || random.chance(0.3))) standing.isLater = true;
  else if (standing.isRegistered) return;
  standing.isRegistered = false;
  const request = requestOf(plan, standing.isLater);
  await life.call({
    method: "RegisterReaction",
    about: `${plan.id}: ${request.subjectPattern} ${request.predicateCel ?? ""}`,
    send: (tape, options) => tape.registerReaction(request, options),
    check: () => () => {
      const isThere = bus
        .of(plan.id)
        .revisions.some(({ head: { subject_pattern: pattern } }) => pattern === request.subjectPattern);
      promises.durable(isThere, `reaction ${plan.id}`);
    },
  });
  standing.isRegistered = true;
}
