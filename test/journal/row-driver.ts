import assert from "node:assert/strict";
import { encodeHead } from "../../src/codec/head.ts";
import { partitionOf, type Partition } from "../../src/codec/row-id.ts";
import { TapeError } from "../../src/errors.ts";
import { defaultLimits, type Limits } from "../../src/journal/limits.ts";
import type {
  BodyLookup,
  Context,
  Decide,
  HeadEvent,
  JournalEvent,
  Outcome,
  PastEntry,
  RowRules,
} from "../../src/journal/row.ts";
import type { IndexKey } from "../../src/model/row.ts";

/** What a caller says beside its request. */
export type Saying = Partial<
  Pick<Context, "requestHash" | "leaseEpoch" | "claimer" | "strict" | "occurrence" | "limits">
>;

/** An answer, with the events that made it true. */
export interface Driven<E, T> {
  readonly value: T;
  readonly events: readonly E[];
}

type AnyEvent = JournalEvent | HeadEvent;

/** What a store holds of a row: its entries, and its head as of one moment. */
export interface StoredRow {
  readonly head: Uint8Array;
  readonly entries: readonly PastEntry[];
}

/** 1 January 2026, 00:00 UTC. */
export const startMs: number = Date.UTC(2026, 0, 1);

/**
 * Applies decisions to one row as the engine does, without store and engine: decides, evolves, answers. It keeps what a
 * store would keep, so that tests can load the row again.
 */
export class RowDriver<S extends { seq: number }, E extends { readonly kind: string }> {
  readonly rules: RowRules<S, E>;
  readonly partition: Partition = partitionOf("");
  readonly state: S;
  now: number = startMs;
  /** Everything that has happened. */
  readonly events: E[] = [];
  readonly #entries: PastEntry[] = [];
  readonly #bodies = new Map<number, readonly string[] | null>();
  #freshIds = 0;

  constructor(rules: RowRules<S, E>) {
    this.rules = rules;
    this.state = rules.absent();
  }

  /** Decides one call and applies what it says. Throws what it refuses with, after the refusal's own events. */
  call<T>(decide: Decide<S, E, T>, saying: Saying = {}): Driven<E, T> {
    const asked = new Set<number>();
    let businessKeyWon = false;
    for (;;) {
      const outcome = this.#decide(decide, this.#context(saying, asked, businessKeyWon));
      switch (outcome.kind) {
        case "needs-bodies":
          if (outcome.seqs.every((seq) => asked.has(seq))) throw new Error("asks for the same bodies for ever");
          for (const seq of outcome.seqs) asked.add(seq);
          break;
        case "needs-business-key":
          businessKeyWon = true;
          break;
        case "refuse":
          this.#apply(outcome.events);
          throw outcome.error;
        case "accept": {
          this.#apply(outcome.events);
          const { answer } = outcome;
          const all: BodyLookup = (seq) => this.#bodies.get(seq);
          return { value: answer.kind === "ready" ? answer.value : answer.complete(all), events: outcome.events };
        }
        default:
          outcome satisfies never;
      }
    }
  }

  /** What the call would answer and write at `now`; `null` when it would be refused. Nothing is applied. */
  would<T>(decide: Decide<S, E, T>, now: number, saying: Saying = {}): Driven<E, T> | null {
    const all: BodyLookup = (seq) => this.#bodies.get(seq);
    try {
      const outcome = decide(this.state, { ...this.#context(saying, new Set(), true), bodies: all, now });
      if (outcome.kind !== "accept") return null;
      const { answer, events } = outcome;
      return { value: answer.kind === "ready" ? answer.value : answer.complete(all), events };
    } catch (error) {
      if (error instanceof TapeError) return null;
      throw error;
    }
  }

  /** What a store holds by now; entries that the rules let go are gone. */
  stored(): StoredRow {
    const kept = this.rules.trimBelow(this.state);
    return {
      head: encodeHead(this.rules.head(this.state)),
      entries: this.rules.past === "all" ? this.#entries.filter((entry) => entry.seq >= kept) : [],
    };
  }

  /** The row as another server loads it; `known` is what that server had seen of it before. */
  loaded(known: S = this.rules.absent()): S {
    const { head, entries } = this.stored();
    this.rules.restore(
      known,
      head,
      entries.filter((entry) => entry.seq > known.seq),
      "row",
    );
    return known;
  }

  /** The index keys of the row now. */
  keys(): readonly IndexKey[] {
    return this.rules.indexKeys(this.state, this.partition);
  }

  /** A decision may look at the state, never touch it. */
  #decide<T>(decide: Decide<S, E, T>, context: Context): Outcome<E, T> {
    const before = JSON.stringify(plain(this.state));
    try {
      return decide(this.state, context);
    } finally {
      assert.equal(JSON.stringify(plain(this.state)), before);
    }
  }

  #context(saying: Saying, asked: ReadonlySet<number>, businessKeyWon: boolean): Context {
    const limits: Limits = saying.limits ?? defaultLimits;
    this.#freshIds += 1;
    return {
      now: this.now,
      freshId: `fresh-${this.#freshIds}`,
      requestHash: "",
      claimer: "",
      strict: false,
      occurrence: 1,
      ...saying,
      limits,
      bodies: (seq) => (asked.has(seq) ? (this.#bodies.get(seq) ?? null) : undefined),
      businessKeyWon,
    };
  }

  #apply(events: readonly E[]): void {
    this.events.push(...events);
    for (const event of events) {
      const any = event as unknown as AnyEvent;
      if ("ref" in any) {
        const seq = this.state.seq + 1;
        this.rules.evolve(this.state, event, { seq, at: this.now });
        this.state.seq = seq;
        const { kind, ref, meta, body } = any;
        this.#entries.push({ seq, kind, ref, meta: JSON.stringify(meta), at: this.now });
        this.#bodies.set(seq, body ?? null);
      } else {
        this.rules.evolve(this.state, event, { seq: 0, at: this.now });
      }
      const bodiesFrom = this.rules.dropBodiesBelow?.(this.state) ?? 1;
      for (const seq of this.#bodies.keys()) if (seq < bodiesFrom) this.#bodies.set(seq, null);
    }
  }
}

/** A row as it is when loaded again, afresh or from what was known of it before; as {@link plain} data. */
export const reloaded = <S extends { seq: number }, E extends { readonly kind: string }>(
  row: RowDriver<S, E>,
  known?: S,
): unknown => plain(row.loaded(known === undefined ? undefined : structuredClone(known)));

/** A state as plain data that shows the order of its maps and sets too: rules rely on it (oldest first). */
export function plain(value: unknown): unknown {
  if (value instanceof Map) return { map: Array.from(value as Map<unknown, unknown>, (pair) => pair.map(plain)) };
  if (value instanceof Set) return { set: Array.from(value as Set<unknown>) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}
