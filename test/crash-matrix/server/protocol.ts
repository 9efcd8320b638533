/**
 * Where a call is when something is killed.
 *
 * `arrived`: the server has read it, and nothing is decided. `decided`: it is decided, and the append is not yet sent to
 * the store. `committing`: the store is at it. `committed`: the store has said so, and the reply is not yet sent.
 * `replied`: the caller has the reply.
 */
export type Step = "arrived" | "decided" | "committing" | "committed" | "replied";

export const steps: readonly Step[] = ["arrived", "decided", "committing", "committed", "replied"];

/** A call to be held when it is at a step. */
export interface Watch {
  readonly requestId: string;
  readonly rows: readonly string[];
  /** `replied` is seen by the caller; such a watch only counts appends. */
  readonly step: Step;
  /** Which of the call's appends, from 1; a call on several rows has several. */
  readonly nth: number;
}

/** What the server is told. */
export type ToServer =
  | { readonly kind: "watch"; readonly watch: Watch }
  /** Lets held calls go on. With `killAfterUs` the server kills itself so many microseconds after their appends were sent. */
  | { readonly kind: "release"; readonly requestIds: readonly string[]; readonly killAfterUs?: number }
  /** Moves the log of a SQLite file into the file, as SQLite does by itself when it has grown. */
  | { readonly kind: "checkpoint" };

/** What the server tells. */
export type FromServer =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "checkpointed" }
  | { readonly kind: "watching"; readonly requestId: string }
  | { readonly kind: "reached"; readonly requestId: string }
  /** A watched call was answered after this many appends to its rows. */
  | { readonly kind: "answered"; readonly requestId: string; readonly appends: number };

/** Bugs that a server can be given, to see that they are found; the last two are of ChargeBudget. */
export type PlantedBug = (typeof plantedBugs)[number];

export const plantedBugs = [
  "reply-before-commit",
  "request-ids-forgotten",
  "index-removed-first",
  "call-refused",
  "call-unanswered",
] as const;
