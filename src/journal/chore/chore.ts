import { decodeHead } from "../../codec/head.ts";
import { accept, type Decide, type HeadEvent, type RowRules } from "../row.ts";

/*
 * The row of a chore that the servers of a journal do in turns: who does it, until when, and when it was done. It has no
 * entries. The lease only spares work: what a chore changes it changes by conditional commits of its own, so that two
 * servers who do it at once do no harm.
 */

const format = 1;

/** A chore. */
export interface Chore {
  seq: number;
  /** Who does it; empty: nobody. */
  owner: string;
  expiresAtMs: number;
  /** +1 at every change of owner: who has another one has been replaced. */
  epoch: number;
  /** When it was last brought to its end; 0: never. */
  doneAtMs: number;
}

/** What can happen to a chore. */
export type ChoreEvent =
  | (HeadEvent<"chore-lease"> & { readonly owner: string; readonly expiresAtMs: number; readonly epoch: number })
  | (HeadEvent<"chore-done"> & { readonly at: number });

interface ChoreHead {
  readonly format: number;
  readonly kind: "chore";
  readonly owner: string;
  readonly expires_at_ms: number;
  readonly epoch: number;
  readonly done_at_ms: number;
}

/** The rules of a chore's row. */
export const choreRules: RowRules<Chore, ChoreEvent> = {
  past: "none",
  absent: () => ({ seq: 0, owner: "", expiresAtMs: 0, epoch: 0, doneAtMs: 0 }),
  restore(chore, bytes, _entries, row) {
    const head = decodeHead<ChoreHead>(bytes, format, row);
    chore.owner = head.owner;
    chore.expiresAtMs = head.expires_at_ms;
    chore.epoch = head.epoch;
    chore.doneAtMs = head.done_at_ms;
  },
  evolve(chore, event) {
    if (event.kind === "head/chore-lease") {
      chore.owner = event.owner;
      chore.expiresAtMs = event.expiresAtMs;
      chore.epoch = event.epoch;
    } else {
      chore.owner = "";
      chore.expiresAtMs = 0;
      chore.doneAtMs = event.at;
    }
  },
  head({ owner, expiresAtMs, epoch, doneAtMs }) {
    const head: ChoreHead = {
      format,
      kind: "chore",
      owner,
      expires_at_ms: expiresAtMs,
      epoch,
      done_at_ms: doneAtMs,
    };
    return JSON.stringify(head);
  },
  indexKeys: () => [],
  trimBelow: () => 1,
  bytes: () => 256,
};

/** What became of the wish to do a chore: it is the caller's to do, or to be asked for again at a time. */
export type ChoreTurn =
  | { readonly kind: "mine"; readonly epoch: number }
  | { readonly kind: "later"; readonly atMs: number };

/** Takes a chore that is due: `everyMs` after it was done, unless somebody is at it. */
export const takeChore =
  (owner: string, leaseMs: number, everyMs: number): Decide<Chore, ChoreEvent, ChoreTurn> =>
  (chore, { now }) => {
    const dueMs = Math.max(chore.expiresAtMs, chore.doneAtMs === 0 ? 0 : chore.doneAtMs + everyMs);
    if (dueMs > now) return accept([], { kind: "later", atMs: dueMs });
    const epoch = chore.epoch + 1;
    return accept([{ kind: "head/chore-lease", owner, expiresAtMs: now + leaseMs, epoch }], { kind: "mine", epoch });
  };

/** Goes on with a chore, its lease renewed when half of it is over; `false`: it has been given to somebody else. */
export const keepChore =
  (owner: string, epoch: number, leaseMs: number): Decide<Chore, ChoreEvent, boolean> =>
  (chore, { now }) => {
    if (chore.epoch !== epoch || chore.owner !== owner) return accept([], false);
    if (chore.expiresAtMs - now > leaseMs / 2) return accept([], true);
    return accept([{ kind: "head/chore-lease", owner, expiresAtMs: now + leaseMs, epoch }], true);
  };

/** Says that a chore is done, or, without a time, gives it up for whoever comes next. */
export const endChore =
  (epoch: number, isDone: boolean): Decide<Chore, ChoreEvent, void> =>
  (chore, { now }) => {
    if (chore.epoch !== epoch) return accept([], undefined);
    return accept([{ kind: "head/chore-done", at: isDone ? now : chore.doneAtMs }], undefined);
  };
