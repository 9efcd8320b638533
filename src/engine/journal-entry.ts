import { parseTrace } from "../codec/trace.ts";
import type { EventEntry } from "../model/feed.ts";
import type { JournalEntry } from "../model/run.ts";
import type { FeedEntry, StoredEntry } from "../store/store.ts";
import { runIdOfRow } from "../codec/row-id.ts";

/** Version of the `payload_json` of entries (R52). */
const schemaVersion = 1;

/** The kind of an entry: what stands before the verb. */
export const kindOf = (kindAndVerb: string): string => kindAndVerb.slice(0, kindAndVerb.indexOf("/"));
/** Its subject (R52). */
export const subjectOf = (entry: StoredEntry): string => `/tape/${entry.kind}/${entry.dims}`;

/** A damaged number must not end the streams of everybody: one that no client can take is given as none. */
const known = (stored: number): number => (Number.isSafeInteger(stored) ? stored : 0);

/** An entry as callers see it. */
export const journalEntry = (entry: StoredEntry): JournalEntry => ({
  seq: known(entry.seq),
  kind: kindOf(entry.kind),
  payloadJson: entry.meta,
  tsMs: known(entry.at),
  globalSeq: known(entry.position),
  subject: subjectOf(entry),
  schemaVersion,
  ...parseTrace(entry.trace),
});

/** An entry of the feed as callers see it. */
export const eventEntry = (entry: FeedEntry): EventEntry => ({ ...journalEntry(entry), runId: runIdOfRow(entry.row) });
