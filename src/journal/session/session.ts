import { indexName } from "../../codec/row-id.ts";
import { entryMeta } from "../entry-meta.ts";
import { decodeHead } from "../../codec/head.ts";
import { joinMembers, splitMembers } from "../../codec/json-members.ts";
import { newestFirstKey } from "../../codec/time-key.ts";
import type { EventRecord } from "../../model/session.ts";
import type { BodyLookup, HeadEvent, JournalEvent, PastEntry, Place, RowRules } from "../row.ts";
import { bodyText } from "../row.ts";

/* The row of a session: its events are entries, its own state is in the head (R65, R66). */

const format = 1;
const rememberedRequests = 64;

/** One event; its texts are in the body of entry `seq`. */
export interface SessionEvent {
  readonly seq: number;
  readonly id: string;
  readonly invocationId: string;
  readonly author: string;
}

/** A session. It exists while it has been created and not deleted. */
export interface Session {
  seq: number;
  exists: boolean;
  appName: string;
  userId: string;
  sessionId: string;
  /** Its own keys, as raw JSON; `user:` and `app:` keys are in rows of their own. */
  state: ReadonlyMap<string, string>;
  createdAtMs: number;
  updatedAtMs: number;
  readonly events: Map<string, SessionEvent>;
  /** Entries below this seq have been deleted. */
  trimBelow: number;
  requests: readonly string[];
}

/** `payload_json` of `event/appended` (R52). */
interface EventMeta {
  readonly app: string;
  readonly user: string;
  readonly session: string;
  readonly event_id: string;
  readonly invocation_id: string;
  readonly author: string;
}

/** What can happen to a session. */
export type SessionRowEvent =
  | JournalEvent<"event/appended", EventMeta>
  | (HeadEvent<"create"> & { readonly appName: string; readonly userId: string; readonly sessionId: string })
  | (HeadEvent<"merge"> & { readonly delta: ReadonlyMap<string, string> })
  | (HeadEvent<"request"> & { readonly hash: string })
  | HeadEvent<"delete">;

interface SessionHead {
  readonly format: number;
  readonly kind: "session";
  readonly app: string;
  readonly user: string;
  readonly session: string;
  readonly seq: number;
  readonly state_json: string;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
  readonly deleted: boolean;
  readonly trim_below: number;
  readonly requests: readonly string[];
}

/** Shallow merge; `null` removes a key (R65). */
export function mergeState(
  state: ReadonlyMap<string, string>,
  delta: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  if (delta.size === 0) return state;
  const merged = new Map(state);
  for (const [key, raw] of delta) {
    if (raw === "null") merged.delete(key);
    else merged.set(key, raw);
  }
  return merged;
}

const absent = (): Session => ({
  seq: 0,
  exists: false,
  appName: "",
  userId: "",
  sessionId: "",
  state: new Map(),
  createdAtMs: 0,
  updatedAtMs: 0,
  events: new Map(),
  trimBelow: 1,
  requests: [],
});

function note(session: Session, seq: number, meta: EventMeta): void {
  const { event_id: id, invocation_id: invocationId, author } = meta;
  session.events.set(id, { seq, id, invocationId, author });
}

function evolve(session: Session, event: SessionRowEvent, place: Place): void {
  switch (event.kind) {
    case "event/appended":
      note(session, place.seq, event.meta);
      session.updatedAtMs = place.at;
      return;
    case "head/create":
      session.exists = true;
      session.appName = event.appName;
      session.userId = event.userId;
      session.sessionId = event.sessionId;
      session.state = new Map();
      session.createdAtMs = place.at;
      session.updatedAtMs = place.at;
      return;
    case "head/merge":
      session.state = mergeState(session.state, event.delta);
      session.updatedAtMs = place.at;
      return;
    case "head/request":
      session.requests = [...session.requests.slice(1 - rememberedRequests), event.hash];
      return;
    case "head/delete":
      session.exists = false;
      session.state = new Map();
      session.events.clear();
      session.trimBelow = session.seq + 1;
      return;
    default:
      event satisfies never;
  }
}

function restore(session: Session, bytes: Uint8Array, entries: readonly PastEntry[], row: string): void {
  const head = decodeHead<SessionHead>(bytes, format, row, ["session"]);
  if (head.trim_below !== session.trimBelow) session.events.clear();
  for (const entry of entries) {
    if (entry.seq >= head.trim_below) note(session, entry.seq, entryMeta(entry.meta) as EventMeta);
  }
  session.seq = head.seq;
  session.exists = !head.deleted;
  session.appName = head.app;
  session.userId = head.user;
  session.sessionId = head.session;
  session.state = splitMembers(head.state_json);
  session.createdAtMs = head.created_at_ms;
  session.updatedAtMs = head.updated_at_ms;
  session.trimBelow = head.trim_below;
  session.requests = head.requests;
}

function encode(session: Session): string {
  const head: SessionHead = {
    format,
    kind: "session",
    app: session.appName,
    user: session.userId,
    session: session.sessionId,
    seq: session.seq,
    state_json: joinMembers(session.state),
    created_at_ms: session.createdAtMs,
    updated_at_ms: session.updatedAtMs,
    deleted: !session.exists,
    trim_below: session.trimBelow,
    requests: session.requests,
  };
  return JSON.stringify(head);
}

const stateBytes = (state: ReadonlyMap<string, string>): number => {
  let bytes = 0;
  for (const [key, raw] of state) bytes += 2 * (key.length + raw.length) + 64;
  return bytes;
};

/** The rules of a session's row. */
export const sessionRules: RowRules<Session, SessionRowEvent> = {
  past: "all",
  absent,
  restore,
  evolve,
  head: encode,
  indexKeys: (session, partition) =>
    session.exists
      ? [
          {
            index: indexName(partition, "sessions", session.appName, session.userId),
            key: listKeyOf(session),
          },
        ]
      : [],
  trimBelow: (session) => session.trimBelow,
  bytes: (session) => 1024 + stateBytes(session.state) + 300 * session.events.size,
};

/** The place of a session in the list of its user's: newest first by creation. */
export const listKeyOf = ({ createdAtMs }: Session): string => newestFirstKey(createdAtMs);

/** The body of `event/appended`. */
export const eventBody = (event: EventRecord, timestampMs: number): readonly string[] => [
  event.branch ?? "",
  event.contentJson ?? "",
  event.actionsJson ?? "",
  String(timestampMs),
];

/** An event as EventRecord. */
export const eventView = (event: SessionEvent, bodies: BodyLookup): EventRecord => ({
  id: event.id,
  invocationId: event.invocationId,
  author: event.author,
  branch: bodyText(bodies, event.seq, 0),
  contentJson: bodyText(bodies, event.seq, 1),
  actionsJson: bodyText(bodies, event.seq, 2),
  timestampMs: Number(bodyText(bodies, event.seq, 3)),
});
