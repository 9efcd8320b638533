import type { Partition } from "../codec/row-id.ts";
import { complete, isEmptyHead } from "../codec/head.ts";
import { TapeError } from "../errors.ts";
import type { Answer, BodyLookup, Decide, JournalEvent, HeadEvent, RowRules } from "../journal/row.ts";
import type { IndexKey, RowId, Seq } from "../model/row.ts";
import { maxEntries, type Entry, type StoredEntry, type Version } from "../store/store.ts";
import { entryMissing, firstMissing } from "./missing-entries.ts";

/* What the engine knows about one row. */

/** Any event of any row. */
export type RowEvent = JournalEvent | HeadEvent;

/** Every row's state counts its entries. */
export interface RowState {
  seq: Seq;
}

/** What a caller said beside its request. */
export interface Call {
  readonly leaseEpoch?: number | undefined;
  readonly requestHash: string;
  readonly claimer: string;
  readonly strict: boolean;
  readonly occurrence: number;
  /** Stored on the entries; empty when there is none. */
  readonly trace: string;
}

/** A call that said nothing. */
export const plainCall: Call = { requestHash: "", claimer: "", strict: false, occurrence: 1, trace: "" };

/** One call on its way through the pipeline. */
export interface Task<S extends RowState = RowState> {
  readonly decide: Decide<S, RowEvent, unknown>;
  readonly call: Call;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Bodies that an earlier look at the row asked for. */
  bodies: Map<Seq, readonly string[] | null> | null;
  /** The slot's generation at which the business key was won; -1: not yet (R22). */
  keyWonAt: number;
  conflicts: number;
}

/** What a decided call will answer, once everything it was decided upon is durable. */
export type Reply =
  | { readonly task: Task; readonly answer: Answer<unknown> }
  | { readonly task: Task; readonly error: Error }
  /** Not decided: it asked for a body that is not durable yet, and is decided again when it is. */
  | { readonly task: Task; readonly undecided: true };

/** Calls that were decided on one speculative state and are committed by one append. */
export interface Group {
  readonly replies: Reply[];
  readonly entries: Entry[];
  /** Rough size of the entries in bytes. */
  bytes: number;
  /** Something has to be written. */
  dirty: boolean;
  /** Something of it happens to the row itself: it is more than a new version. */
  changesRow: boolean;
  /** Keys to take away that the row does not know of, unless it wants them in the end. */
  readonly staleKeys: IndexKey[];
  /** All keys that the row wants are written, also those that it should have. */
  writesAllKeys: boolean;
}

/** A group that changes nothing yet. */
export const emptyGroup = (): Group => ({
  replies: [],
  entries: [],
  bytes: 0,
  dirty: false,
  changesRow: false,
  staleKeys: [],
  writesAllKeys: false,
});

/**
 * Whether a group takes no more calls: an append has at most {@link maxEntries}, and the call with the most events, one
 * that ends a run with everything open, has fewer than three quarters of that.
 */
export const isFull = (group: Group): boolean => group.entries.length >= maxEntries / 4;

/** Bodies kept per row, so that an answer which echoes what was just written needs no read. */
const keptBodies = 4;
const keptBodyBytes = 64 * 1024;

/** A row in memory: a guess at what the store holds, verified by every conditional append. */
export class RowSlot<S extends RowState = RowState> {
  readonly row: RowId;
  readonly partition: Partition;
  readonly rules: RowRules<S, RowEvent>;
  /** The state after all decided calls, also those not yet durable; `null`: to be loaded. */
  state: S | null = null;
  /** Durable version and index keys. */
  version: Version = 0;
  keys: readonly IndexKey[] = [];
  /** +1 whenever the state is dropped or another run is kept from writing: what was checked before is void (R22). */
  generation = 0;
  /** Calls that wait for the row to be loaded. */
  waiting: Task[] = [];
  loading = false;
  /** Decided, not yet sent. */
  group: Group | null = null;
  /** In flight. */
  sending: Group | null = null;
  /** Groups being verified, and calls elsewhere that will come back to this row. */
  busy = 0;
  trimmedBelow: Seq = 1;
  droppedBelow: Seq = 1;
  /** Nothing that is durable has ever happened to the row: it does not exist, or has the {@link emptyHead}. */
  isEmpty = true;
  readonly #recent = new Map<Seq, readonly string[]>();
  #recentBytes = 0;

  constructor(row: RowId, partition: Partition, rules: RowRules<S, RowEvent>) {
    this.row = row;
    this.partition = partition;
    this.rules = rules;
  }

  /** Nobody needs this slot just now. */
  get idle(): boolean {
    return this.isQuiet && !this.loading && this.busy === 0 && this.waiting.length === 0;
  }

  /** Memory taken, in bytes, roughly. */
  get bytes(): number {
    return 1024 + this.#recentBytes + (this.state === null ? 0 : this.rules.bytes(this.state));
  }

  /** Entries below this one have no bodies any more, or will have none when all that is decided is durable. */
  get bodiesFrom(): Seq {
    return this.state === null ? 1 : (this.rules.dropBodiesBelow?.(this.state) ?? 1);
  }

  /** Whether nothing is decided that waits to be durable. */
  get isQuiet(): boolean {
    return this.group === null && this.sending === null;
  }

  /** Forgets the state: it was built on something that did not happen, or is out of date. */
  drop(): void {
    this.state = null;
    this.generation += 1;
    this.#recent.clear();
    this.#recentBytes = 0;
  }

  /** Brings the state up to what the store holds. Errors: STORE_CORRUPT. */
  restore(version: Version, head: Uint8Array | null, entries: readonly StoredEntry[]): void {
    const state = this.state ?? this.rules.absent();
    const known = state.seq;
    const isEmpty = head === null || isEmptyHead(head);
    let keys: readonly IndexKey[];
    try {
      if (!isEmpty) this.rules.restore(state, head, entries, this.row);
      if (this.rules.past === "all")
        this.#checkComplete(entries, Math.max(known + 1, this.rules.trimBelow(state)), state.seq);
      keys = this.rules.indexKeys(state, this.partition);
      // What a head with a damaged name leaves out would show only where nothing can be said of it any more.
      this.rules.bytes(complete(state));
    } catch (cause) {
      this.drop();
      if (cause instanceof TapeError) throw cause;
      throw new TapeError(
        "STORE_CORRUPT",
        `row ${this.row} cannot be read: its entries are damaged; restore the store from a backup`,
        { cause },
      );
    }
    this.state = state;
    this.version = version;
    this.isEmpty = isEmpty;
    this.keys = keys;
    this.droppedBelow = this.bodiesFrom;
  }

  /** The head says which entries there are: one that is lost must not look as if it had never been. */
  #checkComplete(entries: readonly StoredEntry[], from: Seq, to: Seq): void {
    const next = firstMissing(entries, from);
    if (next === to + 1 || to < from) return;
    if (next <= to) throw entryMissing(this.row, next);
    throw new TapeError(
      "STORE_CORRUPT",
      `row ${this.row} cannot be read: it has more entries than its head says, which is ${to}; restore the store from a backup`,
    );
  }

  /** Keeps a body that was just written, for a while. */
  keepBody(seq: Seq, texts: readonly string[]): void {
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    if (bytes > keptBodyBytes) return;
    this.#recent.set(seq, texts);
    this.#recentBytes += bytes;
    for (const [oldest, old] of this.#recent) {
      if (this.#recent.size <= keptBodies && this.#recentBytes <= keptBodyBytes) break;
      this.#recent.delete(oldest);
      this.#recentBytes -= old.reduce((sum, text) => sum + text.length, 0);
    }
  }

  /** A body kept by {@link keepBody}. */
  readonly keptBody: BodyLookup = (seq) => (seq < this.bodiesFrom ? undefined : this.#recent.get(seq));
}
