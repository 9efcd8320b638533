import { decodeHead } from "../codec/head.ts";
import { runRow, valueRow, type Partition } from "../codec/row-id.ts";
import { compileSubjectPattern } from "../codec/subject-pattern.ts";
import { TapeError } from "../errors.ts";
import type { Limits } from "../journal/limits.ts";
import { compilePredicate } from "../journal/predicate.ts";
import { getRun } from "../journal/run/lifecycle.ts";
import { hasEnded } from "../journal/run/run.ts";
import { accept, type Decide } from "../journal/row.ts";
import { runHeadFormat } from "../journal/run/facts.ts";
import { integer, optionalId, requiredId } from "../journal/validate.ts";
import { valueEvent, valueRules, type Value, type ValueRowEvent } from "../journal/value/value.ts";
import type { WatchedValue } from "../model/call.ts";
import type { EventEntry, SubscribeBySubjectRequest, SubscribeEventsRequest } from "../model/feed.ts";
import type { JournalEntry, SubscribeRunRequest } from "../model/run.ts";
import type { WatchValueRequest } from "../model/value.ts";
import type { RowId, Seq } from "../model/row.ts";
import type { FeedEntry, RowSlice, Store } from "../store/store.ts";
import { runTarget } from "./business-keys.ts";
import { eventEntry, journalEntry, kindOf, subjectOf } from "./journal-entry.ts";
import type { Pipeline } from "./pipeline.ts";
import { plainCall } from "./row-slot.ts";
import { positionBefore } from "./feed-start.ts";
import { entryMissing, firstMissing } from "./missing-entries.ts";
import { stream } from "./stream.ts";
import type { Wakeups } from "./wakeups.ts";

/** What the streams of one partition need. */
export interface StreamPorts {
  readonly pipeline: Pipeline;
  readonly store: Store;
  readonly wakeups: Wakeups;
  readonly limits: Limits;
  readonly partition: Partition;
  /** Fires when the engine closes. */
  readonly closing: AbortSignal;
}

/** Entries fetched at a time: what a stream holds at most while its reader is slow (R51). */
const pageSize = 256;

function open<T>(
  ports: StreamPorts,
  signal: AbortSignal | undefined,
  generate: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncIterable<T> {
  return stream(
    [
      { signal, error: () => new TapeError("CANCELLED", "the caller ended the stream") },
      {
        signal: ports.closing,
        error: () => new TapeError("SHUTTING_DOWN", "Tape is shutting down; subscribe again from the last position"),
      },
    ],
    generate,
  );
}

/** SubscribeRun (R14). */
export function subscribeRun(
  ports: StreamPorts,
  request: SubscribeRunRequest,
  caller: AbortSignal | undefined,
): AsyncIterable<JournalEntry> {
  const { pipeline, store, wakeups, limits, partition } = ports;
  return open(ports, caller, async function* (signal) {
    const runId = requiredId("run_id", request.runId, limits);
    const row = runRow(partition, runId);
    let next = Math.max(1, integer("from_seq", request.fromSeq));
    for (;;) {
      const listening = wakeups.listen(row, signal);
      try {
        // Through the pipeline, so that an answer to a write is never ahead of what its writer sees here.
        const run = await pipeline.execute(runTarget(partition, runId), getRun(runId), plainCall);
        for (let more = true; more;) {
          const slice = await store.read(row, { after: next - 1, limit: pageSize });
          const entries = slice?.entries ?? [];
          const to = Math.min(run.seqCursor, next + pageSize - 1);
          if (slice !== null && firstMissing(entries, next) <= to) mustBeDeleted(slice, next, row);
          for (const entry of entries) {
            yield journalEntry(entry);
            next = entry.seq + 1;
          }
          more = entries.length === pageSize;
        }
        if (signal.aborted || (hasEnded(run.status as never) && next > run.seqCursor)) return;
        await listening.wait();
      } finally {
        listening.stop();
      }
    }
  });
}

/** A run keeps all its entries until it is deleted, and then none. Errors: STORE_CORRUPT. */
function mustBeDeleted({ head, entries }: RowSlice, next: Seq, row: RowId): void {
  const { kind } = decodeHead(head, runHeadFormat, row, ["run", "deleted-run"]);
  if (kind === "run") throw entryMissing(row, firstMissing(entries, next));
}

/** A value keeps its entries from {@link valueRules}'s `trimBelow` on: those before have gone in time. Errors: STORE_CORRUPT. */
function mustBeKept({ head, entries }: RowSlice, from: Seq, to: Seq, row: RowId): void {
  const isWhole = (first: Seq, last: Seq): boolean =>
    firstMissing(entries, first) > Math.min(last, first + pageSize - 1);
  if (isWhole(from, to)) return;
  const value = valueRules.absent();
  valueRules.restore(value, head, [], row);
  const first = Math.max(from, valueRules.trimBelow(value));
  if (!isWhole(first, value.seq)) throw entryMissing(row, firstMissing(entries, first));
}

const readValue: Decide<Value, ValueRowEvent, Value> = (value) => accept([], { ...value });

/** WatchValue (R61). */
export function watchValue(
  ports: StreamPorts,
  request: WatchValueRequest,
  caller: AbortSignal | undefined,
): AsyncIterable<WatchedValue> {
  const { pipeline, store, wakeups, limits, partition } = ports;
  return open(ports, caller, async function* (signal) {
    const namespace = requiredId("namespace", request.namespace, limits);
    const key = requiredId("key", request.key, limits);
    const row = valueRow(partition, namespace, key);
    const target = { row, partition, rules: valueRules };
    let seen = Math.max(0, integer("from_version", request.fromVersion));
    let first = true;
    for (;;) {
      const listening = wakeups.listen(row, signal);
      try {
        const current = await pipeline.execute(target, readValue, plainCall);
        if (first && seen === 0) seen = Math.max(0, current.seq - 1);
        for (let more = true; more && current.seq > seen;) {
          const slice = await store.read(row, { after: Math.max(0, seen - 1), limit: pageSize });
          if (slice !== null) mustBeKept(slice, Math.max(1, seen), current.seq, row);
          const entries = slice?.entries ?? [];
          let before = entries[0]?.seq === seen ? entries[0].meta : undefined;
          const fresh = entries.filter((entry) => entry.seq > seen);
          // What comes next is no longer kept: go on from the current value (R61).
          const gap = fresh[0] !== undefined && fresh[0].seq > seen + 1;
          if (gap) {
            seen = current.seq - 1;
            const last = await store.read(row, { after: seen - 1 });
            before = last?.entries.find((entry) => entry.seq === seen)?.meta;
            fresh.splice(0, fresh.length, ...(last?.entries.filter((entry) => entry.seq > seen) ?? []));
          }
          for (const [i, entry] of fresh.entries()) {
            yield { ...valueEvent(entry, before, row), gap: gap && i === 0 };
            seen = entry.seq;
            before = entry.meta;
          }
          more = fresh.length > 0;
        }
        first = false;
        if (signal.aborted) return;
        await listening.wait();
      } finally {
        listening.stop();
      }
    }
  });
}

/** SubscribeEvents (R50, R51). */
export const subscribeEvents = (
  ports: StreamPorts,
  request: SubscribeEventsRequest,
  caller: AbortSignal | undefined,
): AsyncIterable<EventEntry> =>
  feed(ports, caller, () => {
    const runId = optionalId("run_id", request.runId, ports.limits);
    const kind = optionalId("kind", request.kind, ports.limits);
    const fromMs = integer("from_ts_ms", request.fromTsMs);
    const matches = compileSubjectPattern(request.subjectPattern ?? "");
    const row = runId === "" ? null : runRow(ports.partition, runId);
    return {
      after: integer("from_global_seq", request.fromGlobalSeq),
      fromMs,
      select(entry) {
        if (row !== null && entry.row !== row) return null;
        // Without a wish nothing is too early, a damaged time neither.
        if ((kind !== "" && kindOf(entry.kind) !== kind) || (fromMs > 0 && entry.at < fromMs)) return null;
        return matches(subjectOf(entry)) ? eventEntry(entry) : null;
      },
    };
  });

/** SubscribeBySubject (R51, R52). */
export const subscribeBySubject = (
  ports: StreamPorts,
  request: SubscribeBySubjectRequest,
  caller: AbortSignal | undefined,
): AsyncIterable<EventEntry> =>
  feed(ports, caller, () => {
    const matches = compileSubjectPattern(request.subjectPattern);
    const verdict = compilePredicate(request.predicateCel ?? "");
    return {
      after: integer("from_global_seq", request.fromGlobalSeq),
      fromMs: 0,
      select(entry) {
        if (!matches(subjectOf(entry))) return null;
        const event = eventEntry(entry);
        return verdict(event) === "match" ? event : null;
      },
    };
  });

/** What a subscription wants of the feed. */
interface Selection {
  readonly after: number;
  /** Earlier entries are not selected anyway, so the feed need not be read from its start. */
  readonly fromMs: number;
  readonly select: (entry: FeedEntry) => EventEntry | null;
}

function feed(
  ports: StreamPorts,
  caller: AbortSignal | undefined,
  prepare: () => Selection,
): AsyncIterable<EventEntry> {
  const { store, wakeups, partition } = ports;
  return open(ports, caller, async function* (signal) {
    const { after: from, fromMs, select } = prepare();
    let after = Math.max(0, from, await positionBefore(store, fromMs));
    while (!signal.aborted) {
      const listening = wakeups.listen(null, signal);
      try {
        const page = await store.tail({ after, limit: pageSize });
        for (const entry of page.entries) {
          const event = entry.row.startsWith(`${partition}/`) ? select(entry) : null;
          if (event !== null) yield event;
        }
        if (page.next === after) await listening.wait();
        after = page.next;
      } finally {
        listening.stop();
      }
    }
  });
}
