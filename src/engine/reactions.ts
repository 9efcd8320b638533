import { indexName, reactionRow, type Partition } from "../codec/row-id.ts";
import {
  definitionOf,
  deregisterReaction,
  patternFilter,
  reactionNotFound,
  readReaction,
  registerReaction,
} from "../journal/reaction/register.ts";
import {
  reactionRules,
  reactionView,
  type ReactionEvent,
  type ReactionRow,
  type Registered,
} from "../journal/reaction/reaction.ts";
import { requiredId } from "../journal/validate.ts";
import type {
  DeregisterReactionRequest,
  DeregisterReactionResponse,
  ListReactionsRequest,
  ListReactionsResponse,
  Reaction,
} from "../model/reaction.ts";
import type { RowId } from "../model/row.ts";
import type { ScanItem } from "../store/store.ts";
import { DamagedRows } from "./damaged-rows.ts";
import type { EnginePorts } from "./engine-tape.ts";
import { plainCall, type Call } from "./row-slot.ts";
import type { Target } from "./slot-cache.ts";

const scanPage = 256;

/** A reaction's row, as a target of calls. */
export const reactionTarget = (partition: Partition, row: RowId): Target<ReactionRow, ReactionEvent> => ({
  row,
  partition,
  rules: reactionRules,
});

/** The reactions of one partition (R70). */
export class Reactions {
  readonly #ports: Pick<EnginePorts, "pipeline" | "store" | "feedEnd" | "limits">;
  readonly #partition: Partition;

  constructor(ports: Pick<EnginePorts, "pipeline" | "store" | "feedEnd" | "limits">, partition: Partition) {
    this.#ports = ports;
    this.#partition = partition;
  }

  async register(request: Reaction, tenantId: string): Promise<Reaction> {
    const { pipeline, feedEnd, limits } = this.#ports;
    const definition = definitionOf(request, limits);
    const target = this.#target(definition.reactionId);
    for (let end: number | null = null; ;) {
      const answer = await pipeline.execute(target, registerReaction(definition, tenantId, end), plainCall);
      if (answer.kind === "registered") return answer.reaction;
      end = await feedEnd.position();
    }
  }

  async deregister(request: DeregisterReactionRequest, call: Call): Promise<DeregisterReactionResponse> {
    const { pipeline, limits } = this.#ports;
    return pipeline.execute(
      this.#target(requiredId("reaction_id", request.reactionId, limits)),
      deregisterReaction,
      call,
    );
  }

  async list(request: ListReactionsRequest): Promise<ListReactionsResponse> {
    const { pipeline, store } = this.#ports;
    const isWanted = patternFilter(request.subjectPattern ?? "");
    const index = indexName(this.#partition, "reactions");
    const reactions: Reaction[] = [];
    const damaged = new DamagedRows();
    for (let after: ScanItem | undefined; ;) {
      const page = await store.scan(index, { after, limit: scanPage });
      const found = await Promise.all(
        page.items.map(async ({ row, key }) => {
          const target = reactionTarget(this.#partition, row);
          const registered = await damaged.skip(pipeline.execute(target, readReaction, plainCall), undefined);
          if (registered === undefined) return [];
          if (registered !== null) return [reactionView(registered)];
          if (!store.capabilities.atomicIndex) await pipeline.dropStaleKey(target, { index, key });
          return [];
        }),
      );
      reactions.push(...found.flat().filter(isWanted));
      if (page.next === undefined) {
        damaged.check(reactions.length);
        return { reactions };
      }
      after = page.next;
    }
  }

  /** The reaction as it is registered now. Errors: REACTION_NOT_FOUND. */
  async registered(reactionId: string): Promise<Registered> {
    const registered = await this.#ports.pipeline.execute(this.#target(reactionId), readReaction, plainCall);
    if (registered === null) throw reactionNotFound(reactionId);
    return registered;
  }

  #target(reactionId: string): Target<ReactionRow, ReactionEvent> {
    return reactionTarget(this.#partition, reactionRow(this.#partition, reactionId));
  }
}
