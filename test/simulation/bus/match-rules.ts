import type { FeedItem } from "../audit/auditor.ts";
import type { ReactionRecord, Revision } from "./bus-record.ts";
import { orderOf } from "./orders.ts";

/*
 * Which entries of the feed make tasks of a reaction, read a second time from R70: an entry meets a definition that held
 * when it was written or later.
 */

/** Whether a definition matches an entry. */
function matches({ head }: Revision, { kind, seq, meta }: FeedItem): boolean {
  const payload = JSON.parse(meta) as Readonly<Record<string, unknown>>;
  return orderOf(head.subject_pattern, head.predicate_cel).matches({ kind, seq, payload });
}

/** The definitions that an entry may meet: those that were not replaced before it was durable. */
function mayMeet({ revisions }: ReactionRecord, position: number): readonly Revision[] {
  return revisions.filter(({ head }, i) => {
    const next = revisions[i + 1];
    return !head.deleted && head.start < position && (next === undefined || next.since >= position);
  });
}

/** Whether an entry may have a task. `doubtMs`: how far clocks may be beside each other. */
export function mayHaveTask(
  reaction: ReactionRecord,
  feed: readonly FeedItem[],
  position: number,
  doubtMs: number,
): boolean {
  const item = feed[position - 1];
  if (item === undefined) return false;
  return mayMeet(reaction, position).some((revision) => {
    if (!matches(revision, item)) return false;
    const { debounce_ms: debounceMs } = revision.head;
    const next = debounceMs === 0 ? undefined : nextOfBurst(revision, feed, position);
    // It was there before anybody could think that the burst was over.
    return next === undefined || next.committedAt + doubtMs >= item.at + debounceMs;
  });
}

/** Whether an entry must have a task once everything up to it has been matched. */
export function mustHaveTask(reaction: ReactionRecord, feed: readonly FeedItem[], position: number): boolean {
  const item = feed[position - 1];
  const last = reaction.revisions.at(-1);
  if (item === undefined || item.gone || last === undefined || last.head.deleted || last.head.start >= position) {
    return false;
  }
  const { generation, debounce_ms: debounceMs } = last.head;
  const met = mayMeet(reaction, position).filter(({ head }) => head.generation === generation);
  if (!met.every((revision) => matches(revision, item))) return false;
  return debounceMs === 0 || nextOfBurst(last, feed, position) === undefined;
}

/** The next matching entry of the same row, if it came so soon that this one is not the last of its burst. */
function nextOfBurst(revision: Revision, feed: readonly FeedItem[], position: number): FeedItem | undefined {
  const item = feed[position - 1];
  if (item === undefined) return undefined;
  const next = feed.slice(position).find((other) => other.row === item.row && matches(revision, other));
  return next !== undefined && next.at - item.at < revision.head.debounce_ms ? next : undefined;
}
