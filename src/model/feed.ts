import type { JournalEntry } from "./run.ts";

/** Follows the feed of the whole store (R50, R51). */
export interface SubscribeEventsRequest {
  readonly fromTsMs?: number | undefined;
  readonly runId?: string | undefined;
  readonly kind?: string | undefined;
  /** Exclusive; 0 means from the start. */
  readonly fromGlobalSeq?: number | undefined;
  /** `*` is one segment, `**` the rest; empty matches all. */
  readonly subjectPattern?: string | undefined;
}

/** Follows the feed by subject pattern and predicate (R51, R52). */
export interface SubscribeBySubjectRequest {
  /** `*` is one segment, `**` the rest; empty matches all. */
  readonly subjectPattern: string;
  readonly predicateCel?: string | undefined;
  /** Exclusive; 0 means from the start. */
  readonly fromGlobalSeq?: number | undefined;
}

/** One entry of the feed; the run it belongs to is empty for entries of values and sessions. */
export interface EventEntry extends JournalEntry {
  readonly runId: string;
}
