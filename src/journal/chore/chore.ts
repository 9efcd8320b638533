import { decodeHead } from "../../codec/head.ts";
import { accept, type Decide, type HeadEvent, type RowRules } from "../row.ts";

/*
 * The row of a chore that the servers of a journal do in turns: who does it, until when, and when it was done. It has no
 * entries. The lease only spares work: what a chore changes it changes by conditional commits of its own, so that two
 * servers who do it at once do no harm.
 */

/** Format 1 remembered no place. */
const format = 2;

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
  /** Up to where it has been done since then, in the chore's own words; empty: not begun. */
  place: string;
}

/** What can happen to a chore. */
export type ChoreEvent =
  | (HeadEvent<"chore-lease"> & {
      readonly owner: string;
      readonly expiresAtMs: number;
      readonly epoch: number;
      readonly place: string;
    })
  | (HeadEvent<"chore-done"> & { readonly at: number; readonly place: string });

interface ChoreHead {
  readonly format: number;
  readonly kind: "chore";
  readonly owner: string;
  readonly expires_at_ms: number;
  readonly epoch: number;
  readonly done_at_ms: number;
  readonly place?: string;
}

/** The rules of a chore's row. */
export const choreRules: RowRules<Chore, ChoreEvent> = {
  past: "none",
  absent: () => ({ seq: 0, owner: "", expiresAtMs: 0, epoch: 0, doneAtMs: 0, place: "" }),
  restore(chore, bytes, _entries, row) {
    const head = decodeHead<ChoreHead>(bytes, format, row, ["chore"]);
    chore.owner = head.owner;
    chore.expiresAtMs = head.expires_at_ms;
    chore.epoch = head.epoch;
    chore.doneAtMs = head.done_at_ms;
    chore.place = head.place ?? "";
  },
  evolve(chore, event) {
    chore.place = event.place;
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
  head({ owner, expiresAtMs, epoch, doneAtMs, place }) {
    const head: ChoreHead = {
      format,
      kind: "chore",
      owner,
      expires_at_ms: expiresAtMs,
      epoch,
      done_at_ms: doneAtMs,
      place,
    };
    return JSON.stringify(head);
  },
  indexKeys: () => [],
  trimBelow: () => 1,
  bytes: () => 256,
};

/** What became of the wish to do a chore: it is the caller's to do, or to be asked for again at a time. */
export type ChoreTurn =
  | { readonly kind: "mine"; readonly epoch: number; readonly place: string }
  | { readonly kind: "later"; readonly atMs: number };

/** Takes a chore that is due: `everyMs` after it was done, unless somebody is at it. */
export const takeChore =
  (owner: string, leaseMs: number, everyMs: number): Decide<Chore, ChoreEvent, ChoreTurn> =>
  (chore, { now }) => {
    const { place } = chore;
    const dueMs = Math.max(chore.expiresAtMs, chore.doneAtMs === 0 ? 0 : chore.doneAtMs + everyMs);
    if (dueMs > now) return accept([], { kind: "later", atMs: dueMs });
    const epoch = chore.epoch + 1;
    const lease: ChoreEvent = { kind: "head/chore-lease", owner, expiresAtMs: now + leaseMs, epoch, place };
    return accept([lease], { kind: "mine", epoch, place });
  };

/**
 * Goes on with a chore that has been done up to a place; its lease is renewed, and the place kept, when half of the lease is
 * over. `false`: it has been given to somebody else.
 */
export const keepChore =
  (owner: string, epoch: number, leaseMs: number, place: string): Decide<Chore, ChoreEvent, boolean> =>
  (chore, { now }) => {
    if (chore.epoch !== epoch || chore.owner !== owner) return accept([], false);
    if (chore.expiresAtMs - now > leaseMs / 2) return accept([], true);
    return accept([{ kind: "head/chore-lease", owner, expiresAtMs: now + leaseMs, epoch, place }], true);
  };

/** Says that a chore is done, or gives it up at a place, for whoever comes next. */
export const endChore =
  (epoch: number, isDone: boolean, place: string): Decide<Chore, ChoreEvent, void> =>
  (chore, { now }) => {
    if (chore.epoch !== epoch) return accept([], undefined);
    const done = { at: isDone ? now : chore.doneAtMs, place: isDone ? "" : place };
    return accept([{ kind: "head/chore-done", ...done }], undefined);
  };
