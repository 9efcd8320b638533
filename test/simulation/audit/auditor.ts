import { partitionOfRow, rowKind } from "../../../src/codec/row-id.ts";
import { isEmptyHead } from "../../../src/codec/head.ts";
import type { Append, RowId } from "../../../src/store/store.ts";
import type { CallBook, CallRecord } from "../world/call-book.ts";
import type { CommitListener, SimulatedData } from "../world/simulated-data.ts";
import type { InvariantName } from "../world/violation.ts";
import type { World } from "../world/world.ts";
import { mustHoldClaim } from "./attempt-rules.ts";
import { mustBeFindable } from "./index-rules.ts";
import { readEntry, type ReadEntry } from "./journal-entry.ts";
import { headReadBack } from "./restored.ts";
import { applyEntry } from "./run-entries.ts";
import { applyHead } from "./run-head.ts";
import { applyRemoval } from "./removal-rules.ts";
import { emptyRun, type DeletedRunHead, type RunHead, type RunRecord } from "./run-record.ts";

/** An entry of the feed. */
export interface FeedItem {
  readonly row: RowId;
  readonly seq: number;
  readonly kind: string;
  /** JSON text. */
  readonly meta: string;
  /** The clock of the server that wrote it. */
  readonly at: number;
  /** When it became durable, in the world's time. */
  readonly committedAt: number;
  /** It was trimmed, or deleted with its run. */
  gone: boolean;
}

/** A commit, read. */
export interface Commit {
  readonly row: RowId;
  /** The kind of the row. */
  readonly kind: string;
  readonly head: unknown;
  readonly entries: readonly ReadEntry[];
  readonly append: Append;
}

/** A value, as its entries have it. */
export interface ValueRecord {
  /** Version to JSON; empty for a deletion. */
  readonly versions: Map<number, string>;
  deleted: boolean;
}

const decoder = new TextDecoder();

/** Versions of a value that a watcher may still ask for. */
const keptVersions = 1000;

/** The part of heads that remember requests. */
interface RememberingHead {
  readonly requests?: readonly string[];
}

/** The part of a session's head that is looked at. */
interface SessionHead {
  readonly deleted: boolean;
}

/** The part of shared state that is looked at. */
interface SharedHead {
  readonly applied: readonly string[];
}

/** Calls that may do a second time what they did: what they took may have been lost since. */
const repeatable: ReadonlySet<string> = new Set([
  "BeginRun",
  "ResumeRun",
  "ClaimEffectDispatch",
  "ClaimObligation",
  "AwaitSignal",
  // The timer may have been moved or cancelled in between (R45).
  "SetTimer",
  "CancelTimer",
]);

/**
 * Reads every commit the moment it becomes durable, as somebody would who knows `docs/semantics.md` and the stored
 * formats, but not the code, and compares it with everything that came before.
 */
export class Auditor implements CommitListener {
  readonly runs: Map<RowId, RunRecord> = new Map<RowId, RunRecord>();
  readonly values: Map<RowId, ValueRecord> = new Map<RowId, ValueRecord>();
  /** Session row to the ids of its events, in order. */
  readonly sessions: Map<RowId, string[]> = new Map<RowId, string[]>();
  /** Row and seq of every entry, in the order of the feed. */
  readonly feed: FeedItem[] = [];
  /** Who else reads every commit, after the auditor has. */
  readonly alsoRead: Set<(commit: Commit) => void> = new Set();
  /** How many commits there were. */
  commits = 0;
  readonly #world: World;
  readonly #data: SimulatedData;
  readonly #book: CallBook;
  readonly #onCommit: () => void;
  /** Business key to the effect it belongs to. */
  readonly #businessKeys = new Map<string, string>();
  /** Session row to the calls that wrote its events. */
  readonly #eventWriters = new Map<RowId, CallRecord[]>();
  /** Row to the hashes of the request ids that its head has. */
  readonly #requests = new Map<RowId, readonly string[]>();

  constructor(world: World, data: SimulatedData, book: CallBook, onCommit: () => void) {
    this.#world = world;
    this.#data = data;
    this.#book = book;
    this.#onCommit = onCommit;
  }

  committed(append: Append): void {
    const { row, head, entries } = append;
    // Chores go on for ever.
    if (rowKind(row) !== "chore") this.commits += 1;
    const committedAt = this.#world.scheduler.now;
    for (const { seq, kind, meta, at } of entries) {
      this.feed.push({ row, seq, kind, meta, at, committedAt, gone: false });
    }
    this.#noteTrimmed(append);
    const writers = entries.map(({ trace }) => this.#book.writerOf(trace));
    for (const writer of writers) this.#mustWriteOnce(writer, append.commitId);
    const read = entries.map(readEntry);
    const text = decoder.decode(head);
    const kind = isEmptyHead(head) ? "none" : rowKind(row);
    switch (kind) {
      case "none":
        // Made so that nobody else makes it: nothing may have been there.
        if (this.runs.has(row) || this.sessions.has(row))
          this.#complain(row, "row-equals-memory", "the row was emptied");
        break;
      case "run":
        this.#run(append, read, writers, JSON.parse(text) as RunHead | DeletedRunHead);
        break;
      case "value":
        for (const [i, entry] of read.entries()) this.#value(row, entry, writers[i]);
        this.#mustKeepVersions(append);
        break;
      case "session":
        for (const [i, entry] of read.entries()) this.#event(row, entry, writers[i]);
        if ((JSON.parse(text) as SessionHead).deleted) this.#forgetSession(row);
        break;
      case "user-state":
      case "app-state":
        this.#mustApplyOnce(row, JSON.parse(text) as SharedHead);
        break;
      default:
    }
    this.#mustRemember(row, JSON.parse(text) as RememberingHead);
    const stored = this.#data.rows.read(row, {})?.entries ?? [];
    const again = headReadBack(row, head, stored);
    if (again !== text) this.#complain(row, "row-equals-memory", `written as ${text}, read back as ${again}`);
    this.indexChanged(row);
    if (this.alsoRead.size > 0) {
      const commit = { row, kind, head: JSON.parse(text) as unknown, entries: read, append };
      for (const also of this.alsoRead) also(commit);
    }
    this.#onCommit();
  }

  indexChanged(row: RowId): void {
    const run = this.runs.get(row);
    if (run === undefined) return;
    mustBeFindable(run, this.#data.index, (invariant, what) => {
      this.#complain(row, invariant, what);
    });
  }

  #noteTrimmed({ row, trimBelow = 1 }: Append): void {
    if (trimBelow <= 1) return;
    for (const item of this.feed) if (item.row === row && item.seq < trimBelow) item.gone = true;
  }

  #run(
    append: Append,
    entries: readonly ReadEntry[],
    writers: readonly (CallRecord | undefined)[],
    head: RunHead | DeletedRunHead,
  ): void {
    const { row } = append;
    const run = this.runs.get(row) ?? emptyRun(row);
    this.runs.set(row, run);
    const complain = (invariant: InvariantName, what: string): void => {
      this.#complain(row, invariant, what);
    };
    for (const [i, entry] of entries.entries()) {
      mustHoldClaim(run, entry, writers[i], complain);
      // A claim that was settled in the commit that gave it is in no head.
      if (entry.kind === "obligation/committed")
        run.claims.add(`${entry.meta.obligation_seq} ${writers[i]?.caller ?? ""}`);
      if (entry.kind === "effect/pending") this.#mustOwnKey(row, entry);
      if (run.status === "STUCK" && writers[i]?.method === "EndRun") run.wasGivenUp = true;
      applyEntry(run, entry, complain);
    }
    applyRemoval(run, head, append, complain);
    if (head.kind === "run") applyHead(run, head, entries, writers, complain);
  }

  /** A business key belongs to one effect for ever (R22). */
  #mustOwnKey(row: RowId, { meta }: ReadEntry): void {
    const { connector, business_key: key, idempotency_key: effect } = meta;
    if (key === "") return;
    const name = JSON.stringify([partitionOfRow(row), connector, key]);
    const owner = `${effect} of ${row}`;
    const known = this.#businessKeys.get(name);
    if (known !== undefined && known !== owner) {
      this.#complain(row, "key-belongs-to-one-effect", `${key} belongs to ${known}, and now to ${owner}`);
    }
    this.#businessKeys.set(name, known ?? owner);
  }

  /** A call writes in one commit, however often it arrives, unless there is nothing to know it by (R2, R3). */
  #mustWriteOnce(writer: CallRecord | undefined, commitId: string): void {
    if (writer === undefined || repeatable.has(writer.method)) return;
    const { caller, method, number, requestId, arrived, commitIds } = writer;
    commitIds.add(commitId);
    const most = method === "ChargeBudget" && requestId === undefined ? arrived : 1;
    if (commitIds.size > most) {
      const what = `call #${number} of ${caller}, ${method}, arrived ${arrived} times and was written ${commitIds.size} times`;
      this.#world.violated("request-counts-once", what);
    }
  }

  #value(row: RowId, { seq, meta, kind }: ReadEntry, writer: CallRecord | undefined): void {
    const value = this.values.get(row) ?? { versions: new Map<number, string>(), deleted: true };
    this.values.set(row, value);
    const version = value.versions.size + 1;
    if (seq !== version || meta.version !== version) {
      this.#complain(row, "version-never-reused", `version ${meta.version} (entry ${seq}) came as number ${version}`);
    }
    const wanted = writer?.ifVersion ?? -1;
    const holds = wanted < 0 || (wanted === 0 ? value.deleted : wanted === version - 1);
    if (!holds) this.#complain(row, "version-never-reused", `written at ${version} though wanted after ${wanted}`);
    value.versions.set(version, meta.value?.value_json ?? "");
    value.deleted = kind === "value/deleted";
  }

  /** The last 1,000 versions are kept (R61). */
  #mustKeepVersions({ row, trimBelow = 1 }: Append): void {
    const current = this.values.get(row)?.versions.size ?? 0;
    if (trimBelow > Math.max(1, current - keptVersions + 1)) {
      this.#complain(row, "watcher-sees-all", `versions before ${trimBelow} are gone, the current one is ${current}`);
    }
  }

  #event(row: RowId, { meta }: ReadEntry, writer: CallRecord | undefined): void {
    const written = this.#eventWriters.get(row) ?? [];
    this.#eventWriters.set(row, written);
    if (writer !== undefined) written.push(writer);
    const events = this.sessions.get(row) ?? [];
    this.sessions.set(row, events);
    if (events.includes(meta.event_id)) {
      this.#complain(row, "event-appended-once", `event ${meta.event_id} was appended twice`);
    }
    events.push(meta.event_id);
  }

  /** A session that is created after it was deleted begins anew: it knows nothing of the events of the one before (R65). */
  #forgetSession(row: RowId): void {
    this.sessions.delete(row);
    for (const { commitIds } of this.#eventWriters.get(row) ?? []) commitIds.clear();
    this.#eventWriters.delete(row);
  }

  /** A change of shared state that is sent again changes nothing (R65). */
  #mustApplyOnce(row: RowId, { applied }: SharedHead): void {
    const twice = applied.find((change, i) => applied.indexOf(change) !== i);
    if (twice !== undefined) this.#complain(row, "event-appended-once", `change ${twice} was applied twice`);
  }

  /** A row forgets a request id only for so many later ones (R3). */
  #mustRemember(row: RowId, { requests }: RememberingHead): void {
    if (requests === undefined) return;
    const lost = this.#requests.get(row)?.find((request) => !requests.includes(request));
    this.#requests.set(row, requests);
    if (lost !== undefined && requests.length < (rowKind(row) === "task" ? 8 : 64)) {
      this.#complain(row, "request-counts-once", `request ${lost} was forgotten, ${requests.length} others are known`);
    }
  }

  #complain(row: RowId, invariant: InvariantName, what: string): void {
    this.#world.violated(invariant, `${row}: ${what}`);
  }
}
