import { decodeHead } from "../../codec/head.ts";
import { accept, type Decide, type HeadEvent, type RowRules } from "../row.ts";

/*
 * The row of one shard of a reaction (R70): how far in the feed it has been matched, and who is at it. The lease keeps
 * servers from doing the same work; that no task is made twice rests on the ids of tasks, and that none is missing on the
 * order of writes: tasks first, then the cursor.
 */

const format = 1;

/** A shard. `generation` is that of the reaction which the cursor belongs to. */
export interface Shard {
  seq: number;
  generation: number;
  /** Everything in the feed up to here has been matched, and its tasks are durable. */
  cursor: number;
  owner: string;
  /** +1 at every change of owner: who was replaced can no longer move the cursor. */
  epoch: number;
  leaseExpiresAtMs: number;
}

/** What can happen to a shard. */
export type ShardEvent =
  | (HeadEvent<"matcher"> & { readonly shard: Omit<Shard, "seq"> })
  | (HeadEvent<"cursor"> & { readonly cursor: number; readonly leaseExpiresAtMs: number });

interface ShardHead {
  readonly format: number;
  readonly kind: "reaction-shard";
  readonly generation: number;
  readonly cursor: number;
  readonly owner: string;
  readonly epoch: number;
  readonly lease_expires_at_ms: number;
}

/** The rules of a shard's row. */
export const shardRules: RowRules<Shard, ShardEvent> = {
  past: "none",
  absent: () => ({ seq: 0, generation: 0, cursor: 0, owner: "", epoch: 0, leaseExpiresAtMs: 0 }),
  restore(shard, bytes, _entries, row) {
    const head = decodeHead<ShardHead>(bytes, format, row, ["reaction-shard"]);
    shard.generation = head.generation;
    shard.cursor = head.cursor;
    shard.owner = head.owner;
    shard.epoch = head.epoch;
    shard.leaseExpiresAtMs = head.lease_expires_at_ms;
  },
  evolve(shard, event) {
    if (event.kind === "head/matcher") Object.assign(shard, event.shard);
    else {
      shard.cursor = event.cursor;
      shard.leaseExpiresAtMs = event.leaseExpiresAtMs;
    }
  },
  head(shard) {
    const head: ShardHead = {
      format,
      kind: "reaction-shard",
      generation: shard.generation,
      cursor: shard.cursor,
      owner: shard.owner,
      epoch: shard.epoch,
      lease_expires_at_ms: shard.leaseExpiresAtMs,
    };
    return JSON.stringify(head);
  },
  indexKeys: () => [],
  trimBelow: () => 1,
  bytes: () => 512,
};

/** A shard as it is. */
export const readShard: Decide<Shard, ShardEvent, Readonly<Shard>> = (shard) => accept([], { ...shard });

/** Who wants to match a shard. */
export interface Matching {
  readonly owner: string;
  readonly leaseMs: number;
  readonly generation: number;
  /** Where a generation starts that the shard does not know yet. */
  readonly start: number;
}

/** Takes a shard, or renews what one has; `null` while another has it. */
export const takeShard =
  ({ owner, leaseMs, generation, start }: Matching): Decide<Shard, ShardEvent, Readonly<Shard> | null> =>
  (shard, context) => {
    const isLive = shard.leaseExpiresAtMs > context.now;
    if (isLive && shard.owner !== owner) return accept([], null);
    // A server that was slow to read the reaction must not take an older generation up again.
    if (generation < shard.generation) return accept([], null);
    const taken = {
      seq: 0,
      owner,
      generation,
      cursor: generation === shard.generation ? shard.cursor : start,
      epoch: shard.owner === owner ? shard.epoch : shard.epoch + 1,
      leaseExpiresAtMs: context.now + leaseMs,
    };
    return accept([{ kind: "head/matcher", shard: taken }], taken);
  };

/** Moves the cursor and renews the lease, or with `leaseMs` 0 gives it back; false when the shard has been taken over. */
export const moveCursor =
  (epoch: number, generation: number, cursor: number, leaseMs: number): Decide<Shard, ShardEvent, boolean> =>
  (shard, context) => {
    if (shard.epoch !== epoch || shard.generation !== generation) return accept([], false);
    const leaseExpiresAtMs = leaseMs === 0 ? 0 : context.now + leaseMs;
    return accept([{ kind: "head/cursor", cursor: Math.max(cursor, shard.cursor), leaseExpiresAtMs }], true);
  };
