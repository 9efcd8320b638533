import type { Partition } from "../codec/row-id.ts";
import type { IndexKey, Seq } from "../model/row.ts";
import type { Limits } from "./limits.ts";

/*
 * What every kind of row has in common. The rules of a row are pure: `decide` looks at the state and says what should
 * happen, `evolve` applies it. Neither reads a clock, draws randomness or waits; times and ids come in the context.
 */

/** A fact that becomes a journal entry. `kind` is `<kind>/<verb>`; `meta` is the `payload_json` of rule R52. */
export interface JournalEvent<K extends string = string, M = unknown> {
  readonly kind: K;
  /** What it is about, unique per thing within the row. */
  readonly ref: string;
  /** The rest of the subject, after kind and verb. */
  readonly dims: string;
  readonly meta: M;
  /** Payload texts; absent when it brought none. */
  readonly body?: readonly string[];
}

/** A fact that changes the head alone. */
export interface HeadEvent<K extends string = string> {
  readonly kind: `head/${K}`;
}

/**
 * Nothing changes but the version: the commit of an older writer can no longer succeed. Any row takes it; the engine
 * handles it by itself.
 */
export const fenceEvent = "head/fence";

/** A journal entry as rules read it back when a row is loaded. */
export interface PastEntry {
  readonly seq: Seq;
  readonly kind: string;
  readonly ref: string;
  /** JSON text. */
  readonly meta: string;
  readonly at: number;
}

/** Bodies of entries that the engine has already read; `undefined`: not yet; `null`: the entry has none. */
export type BodyLookup = (seq: Seq) => readonly string[] | null | undefined;

/** What a decision may depend on beside the row. */
export interface Context {
  /** Server's clock, milliseconds since 1970. */
  readonly now: number;
  readonly limits: Limits;
  /** A fresh random id, for things that the caller left unnamed. */
  readonly freshId: string;
  /** Hash of the caller's request id, or empty (R3). */
  readonly requestHash: string;
  /** The epoch the caller believes in; absent: not fenced. */
  readonly leaseEpoch?: number | undefined;
  /** Who the caller says it is; empty: not said. */
  readonly claimer: string;
  readonly strict: boolean;
  /** Which wait on the gate, from 1. */
  readonly occurrence: number;
  readonly bodies: BodyLookup;
  /** The business key was won on its claim row since this state was loaded (R22). */
  readonly businessKeyWon: boolean;
}

/**
 * The answer to a call. It is fixed when it is decided; bodies of entries written earlier are read afterwards, since
 * entries never change.
 */
export type Answer<T> =
  | { readonly kind: "ready"; readonly value: T }
  | { readonly kind: "reads"; readonly seqs: readonly Seq[]; readonly complete: (bodies: BodyLookup) => T };

/** What a decision function says. A refusal without events is a thrown TapeError. */
export type Outcome<E, T> =
  /** These events happen, then this is answered. No events: nothing is written. */
  | { readonly kind: "accept"; readonly events: readonly E[]; readonly answer: Answer<T> }
  /** These events happen, but the caller is refused. */
  | { readonly kind: "refuse"; readonly events: readonly E[]; readonly error: Error }
  /** Cannot say without these bodies: ask again with them in the context. */
  | { readonly kind: "needs-bodies"; readonly seqs: readonly Seq[] }
  /** Cannot say before this business key is won for this run: ask again afterwards (R22). */
  | {
      readonly kind: "needs-business-key";
      readonly tenantId: string;
      readonly connector: string;
      readonly businessKey: string;
      readonly runId: string;
    };

/** A decision: pure and synchronous. Throws TapeError to refuse. */
export type Decide<S, E, T> = (state: S, context: Context) => Outcome<E, T>;

/** Where and when an event became an entry. `seq` is 0 for head events. */
export interface Place {
  readonly seq: Seq;
  readonly at: number;
}

/** The rules of one kind of row. `S` is owned by the engine and changed in place by `evolve` and `restore`. */
export interface RowRules<S extends { seq: Seq }, E> {
  /** Whether `restore` wants the entries, or the head alone. */
  readonly past: "all" | "none";
  /** The state of a row that does not exist. */
  absent(): S;
  /** Brings a state up to a stored head; `entries` are those the state has not seen yet. Errors: STORE_CORRUPT. */
  restore(state: S, head: Uint8Array, entries: readonly PastEntry[], row: string): void;
  evolve(state: S, event: E, place: Place): void;
  /** The head as JSON text. */
  head(state: S): string;
  /** The index keys that the row should have in this state, given the partition it lives in. */
  indexKeys(state: S, partition: Partition): readonly IndexKey[];
  /** Entries below this seq may go; 1 keeps all. */
  trimBelow(state: S): Seq;
  /** Bodies of entries below this seq may go, while the entries stay. Default: 1, which keeps all. */
  dropBodiesBelow?(state: S): Seq;
  /** Roughly how much memory the state takes. */
  bytes(state: S): number;
}

/** A ready answer with events. */
export const accept = <E, T>(events: readonly E[], value: T): Outcome<E, T> => ({
  kind: "accept",
  events,
  answer: { kind: "ready", value },
});

/** An answer that needs the bodies of these entries. */
export const acceptReading = <E, T>(
  events: readonly E[],
  seqs: readonly Seq[],
  complete: (bodies: BodyLookup) => T,
): Outcome<E, T> => ({
  kind: "accept",
  events,
  answer: seqs.length === 0 ? { kind: "ready", value: complete(() => null) } : { kind: "reads", seqs, complete },
});

/** Text `i` of an entry's body; empty when the entry has no such text. */
export const bodyText = (bodies: BodyLookup, seq: Seq, i: number): string =>
  seq === 0 ? "" : (bodies(seq)?.[i] ?? "");
