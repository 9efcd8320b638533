import { compileSubjectPattern } from "../../codec/subject-pattern.ts";
import { TapeError } from "../../errors.ts";
import type { DeregisterReactionResponse, Reaction } from "../../model/reaction.ts";
import type { Limits } from "../limits.ts";
import { compilePredicate } from "../predicate.ts";
import { accept, type Decide } from "../row.ts";
import { integer, oneOf, optionalId, requiredId, text } from "../validate.ts";
import { reactionView, type Definition, type ReactionEvent, type ReactionRow, type Registered } from "./reaction.ts";

const handlerKinds = ["AGENT", "TASK", "PUBLISH"] as const;
const dayMs = 86_400_000;
/** What the numbers of a reaction may be at most; 0 means that there is no limit, or nothing to wait for. */
const largest = {
  maxConcurrency: 10_000,
  rateLimitPerS: 100_000,
  debounceMs: dayMs,
  retryMax: 1000,
  retryBackoffMs: dayMs,
  dlqAfterN: 1000,
  numShards: 64,
} as const;

/** Validates a RegisterReaction (R70). Errors: ARGUMENT_INVALID, SIZE_LIMIT. */
export function definitionOf(request: Reaction, limits: Limits): Definition {
  const within = (name: string, value: number | undefined, most: number): number => {
    const number = integer(name, value);
    if (number >= 0 && number <= most) return number;
    throw new TapeError("ARGUMENT_INVALID", `${name} must be between 0 and ${most}; it is ${number}`);
  };
  const handlerKind = oneOf("handler_kind", request.handlerKind, handlerKinds);
  const id = (name: string, value: string | undefined, isNeeded: boolean): string =>
    isNeeded ? requiredId(name, value, limits) : optionalId(name, value, limits);
  const subjectPattern = text("subject_pattern", request.subjectPattern, limits);
  const predicateCel = request.predicateCel ?? "";
  compileSubjectPattern(subjectPattern);
  compilePredicate(predicateCel);
  return {
    reactionId: requiredId("reaction_id", request.reactionId, limits),
    name: optionalId("name", request.name, limits),
    subjectPattern,
    predicateCel,
    handlerKind,
    agentApp: id("agent_app", request.agentApp, handlerKind === "AGENT"),
    publishTarget: id("publish_target", request.publishTarget, handlerKind === "PUBLISH"),
    maxConcurrency: within("max_concurrency", request.maxConcurrency, largest.maxConcurrency),
    rateLimitPerS: within("rate_limit_per_s", request.rateLimitPerS, largest.rateLimitPerS),
    debounceMs: within("debounce_ms", request.debounceMs, largest.debounceMs),
    retryMax: within("retry_max", request.retryMax, largest.retryMax),
    retryBackoffMs: within("retry_backoff_ms", request.retryBackoffMs, largest.retryBackoffMs),
    dlqAfterN: within("dlq_after_n", request.dlqAfterN, largest.dlqAfterN),
    numShards: within("num_shards", request.numShards, largest.numShards) || 1,
    bootstrapFromHead: request.bootstrapFromHead ?? false,
  };
}

const isSame = (a: Definition, b: Definition): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What RegisterReaction found: the reaction, or that the end of the feed has to be looked up first. */
export type Registration =
  | { readonly kind: "registered"; readonly reaction: Reaction }
  | { readonly kind: "needs-end-of-feed" };

/**
 * RegisterReaction (R70). The same definition again changes nothing; another one replaces it and matching goes on where
 * it is. `endOfFeed` is where a new reaction starts that wants no past; `null`: not looked up yet.
 */
export const registerReaction =
  (
    definition: Definition,
    tenantId: string,
    endOfFeed: number | null,
  ): Decide<ReactionRow, ReactionEvent, Registration> =>
  ({ registered }, context) => {
    if (registered !== null) mustKeepShards(registered, definition);
    const answer = (now: Registered): Registration => ({ kind: "registered", reaction: reactionView(now) });
    if (registered !== null && !registered.deleted) {
      if (isSame(registered.definition, definition)) return accept([], answer(registered));
      const changed = { ...registered, definition, tenantId, revision: registered.revision + 1 };
      return accept([{ kind: "head/register", registered: changed }], answer(changed));
    }
    const start = definition.bootstrapFromHead ? endOfFeed : 0;
    if (start === null) return accept([], { kind: "needs-end-of-feed" });
    const fresh: Registered = {
      definition,
      tenantId,
      generation: (registered?.generation ?? 0) + 1,
      revision: (registered?.revision ?? 0) + 1,
      start,
      createdAtMs: context.now,
      deleted: false,
      deletedAtMs: 0,
    };
    return accept([{ kind: "head/register", registered: fresh }], answer(fresh));
  };

/** Each shard has its own place in the feed, and entries would change their shards. */
function mustKeepShards({ definition: known }: Registered, { reactionId, numShards }: Definition): void {
  if (known.numShards === numShards) return;
  throw new TapeError(
    "TRANSITION_NOT_ALLOWED",
    `reaction ${reactionId} has ${known.numShards} shards, which cannot become ${numShards}: their number is for ever; register it under another id`,
    { ids: { reaction_id: reactionId, num_shards: String(known.numShards) } },
  );
}

/** DeregisterReaction: false for one that is not registered, unless the request is a repeat (R3). */
export const deregisterReaction: Decide<ReactionRow, ReactionEvent, DeregisterReactionResponse> = (
  { registered, requests },
  context,
) => {
  const isRepeat = context.requestHash !== "" && requests.includes(context.requestHash);
  if (registered === null || registered.deleted || isRepeat) return accept([], { deregistered: isRepeat });
  const remembered: readonly ReactionEvent[] =
    context.requestHash === "" ? [] : [{ kind: "head/request", hash: context.requestHash }];
  return accept([{ kind: "head/deregister", at: context.now }, ...remembered], { deregistered: true });
};

/** The reaction as it is registered now; `null` when it is not. */
export const readReaction: Decide<ReactionRow, ReactionEvent, Registered | null> = ({ registered }) =>
  accept([], registered === null || registered.deleted ? null : registered);

/** The id of a reaction that was deregistered at this time or earlier, and still is; `null`: it is none. */
export const goneReaction =
  (untilMs: number): Decide<ReactionRow, ReactionEvent, string | null> =>
  ({ registered }) =>
    accept(
      [],
      registered?.deleted === true && registered.deletedAtMs <= untilMs ? registered.definition.reactionId : null,
    );

/** Refuses a reaction that is not registered. */
export const reactionNotFound = (reactionId: string): TapeError =>
  new TapeError("REACTION_NOT_FOUND", `reaction ${reactionId} is not registered; ListReactions shows those that are`, {
    ids: { reaction_id: reactionId },
  });

/** Whether all that a reaction's pattern matches is matched by this one. */
export function patternFilter(pattern: string): (reaction: Reaction) => boolean {
  const covers = compileSubjectPattern(pattern);
  const isOpen = pattern === "" || pattern.endsWith("**");
  return ({ subjectPattern }) => {
    // An open one is covered when its beginning is, by another open one; `*` is a segment like any.
    if (subjectPattern !== "" && !subjectPattern.endsWith("**")) return covers(subjectPattern);
    return isOpen && covers(subjectPattern.slice(0, -"/**".length));
  };
}
