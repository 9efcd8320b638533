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

/** One entry of the feed. */
export interface EventEntry {
  readonly runId: string;
  readonly seq: number;
  readonly kind: string;
  readonly payloadJson: string;
  /** Server's clock, milliseconds since 1970. */
  readonly tsMs: number;
  /** Position in the store-wide feed, below 2^53. */
  readonly globalSeq: number;
  readonly subject: string;
  readonly schemaVersion: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
}
