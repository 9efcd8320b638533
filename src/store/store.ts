import type { TapeError } from "../errors.ts";
import type { IndexKey, RowId, Seq } from "../model/row.ts";

export type { IndexKey, RowId };

/**
 * The store port: the only thing Tape asks of a database.
 *
 * A store knows rows, versions, bytes and ordered keys. It has no word for run, effect or lease: every rule lives
 * above this port, once. The one atomic act is: append these entries to row R and replace its head, if R is still at
 * version V.
 *
 * Bytes handed in belong to the store from then on and are never changed by either side; bytes handed out likewise.
 * Every method rejects with TapeError only: STORE_UNAVAILABLE when the database cannot be reached (an append that
 * rejects has written nothing), STORE_CORRUPT when stored data cannot be read (the message names the row), CANCELLED
 * when the caller's signal had fired, STORE_NOT_USABLE before `open`. Texts are well-formed Unicode.
 */
export interface Store {
  /** Frozen facts about this store; the only thing callers may branch on. */
  readonly capabilities: StoreCapabilities;

  /**
   * Connects and checks the format version. Idempotent. Never creates or changes a schema.
   * Errors: STORE_NOT_USABLE, FORMAT_NEWER, MIGRATION_PENDING.
   */
  open(options?: CallContext): Promise<void>;

  /**
   * Applies what is pending (or only lists it), then opens. Safe when several processes call it together.
   * A dry run changes nothing and creates nothing, not even a file.
   */
  migrate(options: { readonly dryRun: boolean }): Promise<MigrationReport>;

  /**
   * Commits each element atomically on its own row; outcomes are independent and in the order of the batch. No row
   * stands twice in a batch. When the promise resolves, everything reported committed is durable.
   * An element whose fate is not known is answered `unknown`, never guessed; it must not be sent again blindly. One
   * that the store has no room for is answered `refused`, for a reason that callers may see (SIZE_LIMIT).
   */
  append(batch: readonly Append[], options?: CallContext): Promise<readonly AppendOutcome[]>;

  /**
   * The row as of one moment: head, and the entries with seq > `after` (default: all) in order, at most `limit`
   * (default: all; 0: head only). Bodies are read only when asked for. `null`: no such row.
   * Sees every append that was acknowledged before the call, by any process.
   */
  read(row: RowId, options?: ReadOptions): Promise<RowSlice | null>;

  /**
   * Keys of one index in ascending byte order (then by row), `from` inclusive, `to` exclusive, after the cursor.
   * May name a row too many (a hint, to be verified on the row), never one too few. A page may be shorter than `limit`
   * (at least 1) and yet not be the last.
   */
  scan(index: string, options: ScanOptions): Promise<ScanPage>;

  /**
   * Committed entries of the whole store in one total order, without bodies: none skipped, none twice, and nothing
   * that commits later ever appears at or below `next`. Positions are integers below 2^53, ascending, not dense, and
   * never given again. A page may be shorter than `limit` (at least 1) and yet not be the last.
   */
  tail(options: TailOptions): Promise<FeedPage>;

  /**
   * Yields when something may have been committed, perhaps by another process: a hint that may be spurious or late
   * (at most about `capabilities.wakeDelayMs`). Listens from the call on, not from the first iteration. Ends when the
   * signal fires or the store closes.
   */
  wake(options: { readonly signal: AbortSignal }): AsyncIterable<void>;

  /**
   * Removes a little of what commits that failed, and removals, have left behind: bodies that no entry has, notes of the feed
   * about entries that are gone. Nobody sees a difference, and it is safe beside all other calls, also of other
   * processes. Index keys that may have been left behind are only named: what a row wants, the store does not know.
   * Absent where nothing is ever left behind.
   */
  sweep?(options: SweepOptions): Promise<SweepStep>;

  /** Waits for appends under way, then releases everything. Idempotent; later calls reject with SHUTTING_DOWN. */
  close(): Promise<void>;
}

/** Facts about a store that the layers above may branch on. */
export interface StoreCapabilities {
  /** For people and metrics only: the URL scheme's canonical name. Nothing branches on it. */
  readonly kind: string;
  /** Number of the newest stored format: what a store that is open reads and writes. For people only. */
  readonly formatVersion: number;
  /** Data outlives the store object. */
  readonly durable: boolean;
  /** No other process can write this store, so a cached row is known to be current. */
  readonly exclusive: boolean;
  /** Index keys change in the same commit as the row; otherwise they are added before it and removed after it. */
  readonly atomicIndex: boolean;
  /** How many appends may be in flight together (never two with the same row). */
  readonly concurrentAppends: number;
  /** Elements one append call takes at most. */
  readonly maxBatch: number;
  /** A body up to this many bytes may ride in the entry; the store keeps larger ones apart by itself. */
  readonly inlineBodyBytes: number;
  /** How late a wake hint from another process may come, in milliseconds. */
  readonly wakeDelayMs: number;
  /** How much later than its commit an entry is in the feed, in milliseconds, about. Absent: at once, unless it is held up. */
  readonly feedDelayMs?: number;
}

/** Number of appends a row has had; 0 means that the row does not exist. */
export type Version = number;
/** Position of an entry in the store-wide feed: an integer below 2^53; 0 is before the first. */
export type FeedPosition = number;

/** What a call may carry besides its arguments. */
export interface CallContext {
  readonly signal?: AbortSignal | undefined;
}

/** One journal record to be written. */
export interface Entry {
  /** previous entry's seq + 1, also across appends. */
  readonly seq: Seq;
  /** `<kind>/<verb>`, for example `effect/pending`. */
  readonly kind: string;
  /**
   * What the entry is about, unique per thing within the row (`e/<key>`, `d/<index>`); groups entries for people. Any
   * character: a store that cannot keep U+0000 in a text escapes it.
   */
  readonly ref: string;
  /** The rest of the subject after kind and verb: percent-encoded segments joined by `/`. */
  readonly dims: string;
  /** Small JSON text, readable without the body. */
  readonly meta: string;
  /** Payload bytes, opaque; absent when there is no payload. */
  readonly body?: Uint8Array | undefined;
  /** Server's clock, milliseconds since 1970. */
  readonly at: number;
  /** `<trace id>-<span id>-<parent span id>` in lower-case hex, or empty. */
  readonly trace: string;
}

/** An entry as read back. */
export interface StoredEntry extends Entry {
  /** Its feed position; 0 where the store learns it only in the feed. */
  readonly position: FeedPosition;
}

/** An entry as delivered by the feed: it also names its row and has no body. */
export interface FeedEntry extends StoredEntry {
  readonly row: RowId;
}

/** Entries that one append may have: what a store whose positions are numbers of transactions can order. */
export const maxEntries = 4096;

/** One conditional append. */
export interface Append {
  readonly row: RowId;
  /** The version the row must be at; 0: the row must not exist. */
  readonly expect: Version;
  /** Random, new for every attempt; kept in the row and on the entries so that a lost answer can be resolved. */
  readonly commitId: string;
  /** Replaces the head: UTF-8, without U+0000 (it is JSON), so that a store may keep it as text for people to ask. */
  readonly head: Uint8Array;
  /** May be empty: the head alone changes. At most {@link maxEntries}. */
  readonly entries: readonly Entry[];
  /** Entries with a smaller seq are removed for good, from the feed too, after those of this append were added. */
  readonly trimBelow?: Seq | undefined;
  /**
   * Bodies of entries with a smaller seq are removed for good, after those of this append were added. The entries stay,
   * and read as if they had never had one.
   */
  readonly dropBodiesBelow?: Seq | undefined;
  /** A key in both stays. Adding a key that is there and removing one that is not change nothing. */
  readonly index: { readonly add: readonly IndexKey[]; readonly remove: readonly IndexKey[] };
}

/** What became of one element of a batch. */
export type AppendOutcome =
  /** Durable. `position` is that of its last entry, 0 when it had none or the store learns it only in the feed. */
  | { readonly kind: "committed"; readonly position: FeedPosition }
  /** Nothing was written; the row is at `version` (0: absent). */
  | { readonly kind: "conflict"; readonly version: Version }
  /** Nothing was written: this store cannot take it, now or later, for example because the row is full. */
  | { readonly kind: "refused"; readonly error: TapeError }
  /** It may or may not have been, or yet be, written. */
  | { readonly kind: "unknown"; readonly cause: unknown };

/** Options of {@link Store.read}. */
export interface ReadOptions extends CallContext {
  readonly after?: Seq;
  readonly limit?: number;
  readonly bodies?: boolean;
}

/** A row as of one moment. */
export interface RowSlice {
  readonly version: Version;
  /** The commit id of the append that made this version. */
  readonly commitId: string;
  readonly head: Uint8Array;
  readonly entries: readonly (StoredEntry & { readonly commitId: string })[];
}

/** Options of {@link Store.scan}. */
export interface ScanOptions extends CallContext {
  readonly from?: string;
  readonly to?: string;
  /** Continue behind this item, usually {@link ScanPage.next}. */
  readonly after?: ScanItem | undefined;
  readonly limit: number;
}

/** One index key with the row it points at. */
export interface ScanItem {
  readonly key: string;
  readonly row: RowId;
}

/** A page of an index; `next` is absent when the range is exhausted. */
export interface ScanPage {
  readonly items: readonly ScanItem[];
  readonly next?: ScanItem | undefined;
}

/** Options of {@link Store.tail}. */
export interface TailOptions extends CallContext {
  readonly after: FeedPosition;
  readonly limit: number;
}

/** A page of the feed. `next` is where to go on: at least the last entry's position, also when the page is empty. */
export interface FeedPage {
  readonly entries: readonly FeedEntry[];
  readonly next: FeedPosition;
}

/** Options of {@link Store.sweep}. */
export interface SweepOptions extends CallContext {
  /** Go on behind this step, from {@link SweepStep.next}. Default: begin. */
  readonly after?: string | undefined;
  /** Things looked at, about. */
  readonly limit: number;
}

/** An index key with the row it points at. */
export interface StoredKey extends IndexKey {
  readonly row: RowId;
}

/** What one step of a sweep removed; `next` is absent when it was the last one. */
export interface SweepStep {
  readonly removed: number;
  /**
   * Index keys that the step came by. Without `capabilities.atomicIndex` a whole sweep names every key that is there from
   * its begin to its end; with it, none is ever left behind, and none need be named.
   */
  readonly keys?: readonly StoredKey[];
  readonly next?: string | undefined;
}

/** What {@link Store.migrate} did, or would do. */
export interface MigrationReport {
  /** Names of the steps applied (or pending, in a dry run), in order. */
  readonly steps: readonly MigrationStep[];
  readonly dryRun: boolean;
}

/** One numbered step of the schema. */
export interface MigrationStep {
  readonly id: number;
  readonly name: string;
  /** The statements, for people; empty for stores without a schema language. */
  readonly statements: string;
}
