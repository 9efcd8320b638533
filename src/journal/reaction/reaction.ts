import { complete, decodeHead } from "../../codec/head.ts";
import { deregisteredIndex, indexName, indexPath, reactorIndex } from "../../codec/row-id.ts";
import { timeKey } from "../../codec/time-key.ts";
import type { HandlerKind, Reaction } from "../../model/reaction.ts";
import type { HeadEvent, RowRules } from "../row.ts";

/*
 * The row of a reaction (R70): its definition, and where in the feed it starts. It has no entries: what the bus does never
 * stands in the feed, or a reaction on everything would feed itself.
 */

/** Format 1 did not say when a reaction was deregistered. */
const format = 2;
const rememberedRequests = 16;

/** What a caller registers; numbers are 0 where there is no limit. */
export interface Definition {
  readonly reactionId: string;
  readonly name: string;
  readonly subjectPattern: string;
  readonly predicateCel: string;
  readonly handlerKind: Exclude<HandlerKind, "UNSPECIFIED">;
  readonly agentApp: string;
  readonly publishTarget: string;
  readonly maxConcurrency: number;
  readonly rateLimitPerS: number;
  readonly debounceMs: number;
  readonly retryMax: number;
  readonly retryBackoffMs: number;
  readonly dlqAfterN: number;
  readonly numShards: number;
  readonly bootstrapFromHead: boolean;
}

/** A reaction that is registered, or was. */
export interface Registered {
  readonly definition: Definition;
  /** Tenant of the runs that it begins. */
  readonly tenantId: string;
  /** +1 whenever it is registered anew: then matching starts at `start`. */
  readonly generation: number;
  /** +1 at every change: what was compiled of an older one is void. */
  readonly revision: number;
  /** Position of the feed behind which it looks. */
  readonly start: number;
  readonly createdAtMs: number;
  readonly deleted: boolean;
  /** When it was deregistered; 0: it is registered. */
  readonly deletedAtMs: number;
}

/** The row's state; `registered` is `null` until it is registered for the first time. */
export interface ReactionRow {
  seq: number;
  registered: Registered | null;
  requests: readonly string[];
}

/** What can happen to a reaction. */
export type ReactionEvent =
  | (HeadEvent<"register"> & { readonly registered: Registered })
  | (HeadEvent<"deregister"> & { readonly at: number })
  | (HeadEvent<"request"> & { readonly hash: string });

interface ReactionHead {
  readonly format: number;
  readonly kind: "reaction";
  readonly reaction_id: string;
  readonly name: string;
  readonly subject_pattern: string;
  readonly predicate_cel: string;
  readonly handler_kind: Definition["handlerKind"];
  readonly agent_app: string;
  readonly publish_target: string;
  readonly max_concurrency: number;
  readonly rate_limit_per_s: number;
  readonly debounce_ms: number;
  readonly retry_max: number;
  readonly retry_backoff_ms: number;
  readonly dlq_after_n: number;
  readonly num_shards: number;
  readonly bootstrap_from_head: boolean;
  readonly tenant_id: string;
  readonly generation: number;
  readonly revision: number;
  readonly start: number;
  readonly created_at_ms: number;
  readonly deleted: boolean;
  readonly deleted_at_ms?: number;
  readonly requests: readonly string[];
}

function restore(reaction: ReactionRow, bytes: Uint8Array, _entries: unknown, row: string): void {
  const head = decodeHead<ReactionHead>(bytes, format, row, ["reaction"]);
  reaction.registered = {
    definition: complete({
      reactionId: head.reaction_id,
      name: head.name,
      subjectPattern: head.subject_pattern,
      predicateCel: head.predicate_cel,
      handlerKind: head.handler_kind,
      agentApp: head.agent_app,
      publishTarget: head.publish_target,
      maxConcurrency: head.max_concurrency,
      rateLimitPerS: head.rate_limit_per_s,
      debounceMs: head.debounce_ms,
      retryMax: head.retry_max,
      retryBackoffMs: head.retry_backoff_ms,
      dlqAfterN: head.dlq_after_n,
      numShards: head.num_shards,
      bootstrapFromHead: head.bootstrap_from_head,
    }),
    tenantId: head.tenant_id,
    generation: head.generation,
    revision: head.revision,
    start: head.start,
    createdAtMs: head.created_at_ms,
    deleted: head.deleted,
    deletedAtMs: head.deleted_at_ms ?? (head.deleted ? head.created_at_ms : 0),
  };
  reaction.requests = head.requests;
}

function encode({ registered, requests }: ReactionRow): string {
  if (registered === null) throw new RangeError("a reaction is written before it is registered");
  const { definition, tenantId, generation, revision, start, createdAtMs, deleted, deletedAtMs } = registered;
  const head: ReactionHead = {
    format,
    kind: "reaction",
    reaction_id: definition.reactionId,
    name: definition.name,
    subject_pattern: definition.subjectPattern,
    predicate_cel: definition.predicateCel,
    handler_kind: definition.handlerKind,
    agent_app: definition.agentApp,
    publish_target: definition.publishTarget,
    max_concurrency: definition.maxConcurrency,
    rate_limit_per_s: definition.rateLimitPerS,
    debounce_ms: definition.debounceMs,
    retry_max: definition.retryMax,
    retry_backoff_ms: definition.retryBackoffMs,
    dlq_after_n: definition.dlqAfterN,
    num_shards: definition.numShards,
    bootstrap_from_head: definition.bootstrapFromHead,
    tenant_id: tenantId,
    generation,
    revision,
    start,
    created_at_ms: createdAtMs,
    deleted,
    deleted_at_ms: deletedAtMs,
    requests,
  };
  return JSON.stringify(head);
}

/** The rules of a reaction's row. */
export const reactionRules: RowRules<ReactionRow, ReactionEvent> = {
  past: "none",
  absent: () => ({ seq: 0, registered: null, requests: [] }),
  restore,
  evolve(reaction, event) {
    if (event.kind === "head/register") reaction.registered = event.registered;
    else if (event.kind === "head/request") {
      reaction.requests = [...reaction.requests.slice(1 - rememberedRequests), event.hash];
    } else if (reaction.registered !== null) {
      const { registered } = reaction;
      reaction.registered = { ...registered, deleted: true, deletedAtMs: event.at, revision: registered.revision + 1 };
    }
  },
  head: encode,
  indexKeys({ registered }, partition) {
    if (registered === null) return [];
    if (registered.deleted) return [{ index: deregisteredIndex, key: timeKey(registered.deletedAtMs) }];
    const { reactionId, numShards, handlerKind } = registered.definition;
    return [
      { index: indexName(partition, "reactions"), key: indexPath(reactionId) },
      { index: reactorIndex, key: reactorKey(`${partition}/${indexPath(reactionId)}`, numShards, handlerKind) },
    ];
  },
  trimBelow: () => 1,
  bytes: () => 4096,
};

/** Says what a server has to do for the reaction, so that it need not read it to find out. */
const reactorKey = (name: string, numShards: number, handlerKind: string): string =>
  `${name}/${numShards}/${handlerKind}`;

/** What a server has to do for a reaction, as a key of {@link reactorIndex} says. */
export interface ReactorDuty {
  readonly numShards: number;
  readonly startsRuns: boolean;
}

/** Takes a key of {@link reactorIndex} apart. */
export function dutyOfKey(key: string): ReactorDuty {
  const [numShards, handlerKind] = key.split("/").slice(-2);
  return { numShards: Number(numShards), startsRuns: handlerKind === "AGENT" };
}

/** A reaction as the contract has it. */
export const reactionView = ({ definition, createdAtMs, deleted }: Registered): Reaction => ({
  ...definition,
  createdAtMs,
  deleted,
});
