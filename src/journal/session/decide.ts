import { joinMembers, splitMembers } from "../../codec/json-members.ts";
import { subjectSegment } from "../../codec/segment.ts";
import { TapeError } from "../../errors.ts";
import type {
  AppendEventRequest,
  AppendEventResponse,
  DeleteSessionResponse,
  EventRecord,
  GetSessionResponse,
} from "../../model/session.ts";
import type { Limits } from "../limits.ts";
import { accept, acceptReading, type BodyLookup, type Context, type Decide, type Outcome } from "../row.ts";
import { integer, json, jsonObject, oneMessage, optionalId, requiredId } from "../validate.ts";
import {
  eventBody,
  eventView,
  listKeyOf,
  mergeState,
  type Session,
  type SessionEvent,
  type SessionRowEvent,
} from "./session.ts";

/** Which session. */
export interface SessionKey {
  readonly appName: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** A state change, sorted by where each key lives; prefixes removed, `temp:` keys dropped (R65). */
export interface StateDelta {
  readonly own: ReadonlyMap<string, string>;
  readonly user: ReadonlyMap<string, string>;
  readonly app: ReadonlyMap<string, string>;
}

/** Sorts the keys of a JSON object; the text is valid JSON or empty. */
export function stateDelta(name: string, text: string | undefined, limits: Limits): StateDelta {
  jsonObject(name, text, limits);
  const delta = { own: new Map<string, string>(), user: new Map<string, string>(), app: new Map<string, string>() };
  for (const [key, raw] of splitMembers(text === undefined || text === "" ? "{}" : text)) {
    if (key.startsWith("user:")) delta.user.set(key.slice("user:".length), raw);
    else if (key.startsWith("app:")) delta.app.set(key.slice("app:".length), raw);
    else if (!key.startsWith("temp:")) delta.own.set(key, raw);
  }
  return delta;
}

/** The state that GetSession returns: the app's, the user's and the session's own keys. */
export function mergedState(
  own: ReadonlyMap<string, string>,
  user: ReadonlyMap<string, string>,
  app: ReadonlyMap<string, string>,
): string {
  const merged = new Map<string, string>();
  for (const [key, raw] of app) merged.set(`app:${key}`, raw);
  for (const [key, raw] of user) merged.set(`user:${key}`, raw);
  for (const [key, raw] of own) merged.set(key, raw);
  return joinMembers(merged);
}

/** Validates the names of a session. */
export const sessionKey = (
  request: { readonly appName: string; readonly userId?: string | undefined; readonly sessionId?: string | undefined },
  limits: Limits,
): SessionKey => ({
  appName: requiredId("app_name", request.appName, limits),
  userId: optionalId("user_id", request.userId, limits),
  sessionId: requiredId("session_id", request.sessionId, limits),
});

/** Refuses an unknown session. */
export const sessionNotFound = (key: SessionKey): TapeError =>
  new TapeError(
    "SESSION_NOT_FOUND",
    `session ${key.sessionId} of user ${key.userId} in app ${key.appName} does not exist`,
    {
      ids: { app_name: key.appName, user_id: key.userId, session_id: key.sessionId },
    },
  );

function mustFit(state: ReadonlyMap<string, string>, limits: Limits): void {
  let size = 2;
  for (const [key, raw] of state) size += Buffer.byteLength(key) + Buffer.byteLength(raw) + 4;
  if (size > limits.payloadBytes) {
    throw new TapeError(
      "SIZE_LIMIT",
      `session state is too large: about ${size} bytes, the limit is ${limits.payloadBytes}`,
      {
        ids: { field: "state_json", limit: String(limits.payloadBytes), size: String(size) },
      },
    );
  }
}

const remember = (context: Context): SessionRowEvent[] =>
  context.requestHash === "" ? [] : [{ kind: "head/request", hash: context.requestHash }];

const isRepeat = (session: Session, context: Context): boolean =>
  context.requestHash !== "" && session.requests.includes(context.requestHash);

/** What CreateSession found. */
export type Creation = "created" | "exists";

/** CreateSession (R66). With `dry` only says what would happen. */
export const createSession =
  (key: SessionKey, delta: StateDelta, isEmpty: boolean, dry: boolean): Decide<Session, SessionRowEvent, Creation> =>
  (session, context) => {
    if (session.exists) {
      if (isEmpty || isRepeat(session, context)) return accept([], "exists");
      throw new TapeError(
        "SESSION_EXISTS",
        `session ${key.sessionId} of user ${key.userId} in app ${key.appName} exists; read it with GetSession, or create one without state`,
        { ids: { app_name: key.appName, user_id: key.userId, session_id: key.sessionId } },
      );
    }
    // It was created, and has been deleted since: whoever reads it is told that.
    if (isRepeat(session, context)) return accept([], "exists");
    const state = mergeState(new Map(), delta.own);
    mustFit(state, context.limits);
    if (dry) return accept([], "created");
    return accept(
      [{ kind: "head/create", ...key }, { kind: "head/merge", delta: delta.own }, ...remember(context)],
      "created",
    );
  };

/** DeleteSession (R66). */
export const deleteSession: Decide<Session, SessionRowEvent, DeleteSessionResponse> = (session, context) => {
  // Of a session that was created since, a repeat takes nothing away (R3).
  if (!session.exists || isRepeat(session, context)) return accept([], { deleted: isRepeat(session, context) });
  return accept([{ kind: "head/delete" }, ...remember(context)], { deleted: true });
};

/** A session as read from its own row; the engine adds the shared state. */
export type OwnSession = GetSessionResponse & { readonly own: ReadonlyMap<string, string> };

/**
 * The id of the session that stands at this place of its user's list; `null`: there is none, or it stands elsewhere, because
 * the key is of a first attempt to create it, which got no further.
 */
export const sessionAt =
  (key: string): Decide<Session, SessionRowEvent, string | null> =>
  (session) =>
    accept([], session.exists && listKeyOf(session) === key ? session.sessionId : null);

/** GetSession (R66): the latest `maxEvents` events in order; 0 means all, negative none. */
export const getSession =
  (key: SessionKey, maxEvents: number): Decide<Session, SessionRowEvent, OwnSession> =>
  (session) => {
    const { state, updatedAtMs } = session;
    if (!session.exists) return accept([], { found: false, own: state });
    const all = [...session.events.values()];
    const events = maxEvents < 0 ? [] : maxEvents === 0 ? all : all.slice(-maxEvents);
    return acceptReading(
      [],
      events.map((event) => event.seq),
      (bodies) => ({
        found: true,
        own: state,
        session: {
          ...key,
          stateJson: "",
          events: events.map((event) => eventView(event, bodies)),
          lastUpdateTimeMs: updatedAtMs,
        },
      }),
    );
  };

/** A valid AppendEvent. */
export interface AppendEvent {
  readonly key: SessionKey;
  readonly event: EventRecord & { readonly id: string };
  readonly delta: StateDelta;
}

/** Validates an AppendEvent; `freshId` names an event that has no id. */
export function appendEventCommand(request: AppendEventRequest, freshId: string, limits: Limits): AppendEvent {
  const event: Partial<EventRecord> | undefined = request.event;
  if (event === undefined) throw new TapeError("ARGUMENT_INVALID", "event is required");
  const timestampMs = integer("event.timestamp_ms", event.timestampMs);
  if (timestampMs < 0) throw new TapeError("ARGUMENT_INVALID", "event.timestamp_ms must not be negative");
  oneMessage(limits, event.contentJson ?? "", event.actionsJson ?? "", request.stateDeltaJson ?? "");
  return {
    key: sessionKey(request, limits),
    event: {
      id: optionalId("event.id", event.id, limits) || freshId,
      invocationId: optionalId("event.invocation_id", event.invocationId, limits),
      author: optionalId("event.author", event.author, limits),
      branch: optionalId("event.branch", event.branch, limits),
      contentJson: json("event.content_json", event.contentJson, limits),
      actionsJson: json("event.actions_json", event.actionsJson, limits),
      timestampMs,
    },
    delta: stateDelta("state_delta_json", request.stateDeltaJson, limits),
  };
}

/** AppendEvent (R65). With `dry` only says whether it is new; the shared state is written between the two. */
export const appendEvent =
  ({ key, event, delta }: AppendEvent, dry: boolean): Decide<Session, SessionRowEvent, AppendEventResponse | "new"> =>
  (session, context): Outcome<SessionRowEvent, AppendEventResponse | "new"> => {
    if (!session.exists) throw sessionNotFound(key);
    const known = session.events.get(event.id);
    if (known !== undefined) return recorded(known, session.updatedAtMs);
    const state = mergeState(session.state, delta.own);
    if (delta.own.size > 0) mustFit(state, context.limits);
    if (dry) return accept([], "new");
    const stamped = { ...event, timestampMs: event.timestampMs || context.now };
    const { appName, userId, sessionId } = key;
    const events: SessionRowEvent[] = [
      {
        kind: "event/appended",
        ref: `s/${event.id}`,
        dims: [appName, userId, sessionId].map(subjectSegment).join("/"),
        meta: {
          app: appName,
          user: userId,
          session: sessionId,
          event_id: event.id,
          invocation_id: event.invocationId ?? "",
          author: event.author ?? "",
        },
        body: eventBody(stamped, stamped.timestampMs),
      },
    ];
    if (delta.own.size > 0) events.push({ kind: "head/merge", delta: delta.own });
    return accept(events, { event: stamped, lastUpdateTimeMs: context.now });
  };

const recorded = (known: SessionEvent, updatedAtMs: number): Outcome<SessionRowEvent, AppendEventResponse> =>
  acceptReading([], [known.seq], (bodies: BodyLookup) => ({
    event: eventView(known, bodies),
    lastUpdateTimeMs: updatedAtMs,
  }));
