import { appStateRow, indexName, sessionRow, userStateRow, type Partition } from "../codec/row-id.ts";
import { shortHash } from "../codec/hash.ts";
import type { Limits } from "../journal/limits.ts";
import {
  appendEvent,
  appendEventCommand,
  createSession,
  deleteSession,
  getSession,
  mergedState,
  sessionAt,
  sessionKey,
  sessionNotFound,
  stateDelta,
  type SessionKey,
  type StateDelta,
} from "../journal/session/decide.ts";
import { sessionRules, type Session as SessionRow } from "../journal/session/session.ts";
import { mergeShared, readShared, sharedStateRules, type SharedState } from "../journal/session/shared-state.ts";
import { integer, optionalId, requiredId } from "../journal/validate.ts";
import type {
  AppendEventRequest,
  AppendEventResponse,
  CreateSessionRequest,
  DeleteSessionRequest,
  DeleteSessionResponse,
  GetSessionRequest,
  GetSessionResponse,
  ListSessionsRequest,
  ListSessionsResponse,
  Session,
} from "../model/session.ts";
import type { RowId } from "../model/row.ts";
import type { ScanItem, Store } from "../store/store.ts";
import type { IdSource } from "./id-source.ts";
import { DamagedRows } from "./damaged-rows.ts";
import { fillPage } from "./page.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Target } from "./slot-cache.ts";
import { plainCall, type Call, type RowEvent } from "./row-slot.ts";
import { scanUpTo } from "./scan-up-to.ts";

/** Sessions whose states are read together, at first: each may be as large as a message. */
const firstBatch = 8;

/**
 * Sessions of one partition (R65, R66). `user:` and `app:` state lives in rows of its own, which are written before the
 * session and remember what they applied: a crash between leaves the change to be completed by the retry, once.
 */
export class Sessions {
  readonly #pipeline: Pipeline;
  readonly #store: Store;
  readonly #ids: IdSource;
  readonly #limits: Limits;
  readonly #partition: Partition;

  constructor(pipeline: Pipeline, store: Store, ids: IdSource, limits: Limits, partition: Partition) {
    this.#pipeline = pipeline;
    this.#store = store;
    this.#ids = ids;
    this.#limits = limits;
    this.#partition = partition;
  }

  async create(request: CreateSessionRequest, call: Call): Promise<Session> {
    const named = request.sessionId || `session-${call.requestHash || this.#ids.id()}`;
    const key = sessionKey({ ...request, sessionId: named }, this.#limits);
    const delta = stateDelta("state_json", request.stateJson, this.#limits);
    const isEmpty = delta.own.size + delta.user.size + delta.app.size === 0;
    const found = await this.#pipeline.execute(this.#row(key), createSession(key, delta, isEmpty, true), call);
    if (found === "created") {
      await this.#share(
        key,
        delta,
        shortHash(JSON.stringify(["create", key.sessionId, call.requestHash || this.#ids.id()])),
      );
      await this.#pipeline.execute(this.#row(key), createSession(key, delta, isEmpty, false), call);
    }
    const { session } = await this.#read(key, 0);
    // Created by this call, just now or when it was sent first, and deleted since: sent again it creates nothing (R3).
    if (session === undefined) throw sessionNotFound(key);
    return session;
  }

  async get(request: GetSessionRequest): Promise<GetSessionResponse> {
    const maxEvents = Math.max(0, integer("max_events", request.maxEvents));
    return this.#read(sessionKey(request, this.#limits), maxEvents);
  }

  async list(request: ListSessionsRequest): Promise<ListSessionsResponse> {
    const appName = requiredId("app_name", request.appName, this.#limits);
    const userId = optionalId("user_id", request.userId, this.#limits);
    const index = indexName(this.#partition, "sessions", appName, userId);
    const { items } = await scanUpTo(this.#store, index, { limit: this.#limits.pageSize });
    const damaged = new DamagedRows();
    const sessionOf = async ({ row, key }: ScanItem): Promise<Session | undefined> => {
      const target = this.#target<SessionRow>(row, sessionRules);
      const sessionId = await this.#pipeline.execute(target, sessionAt(key), plainCall);
      if (sessionId === null) {
        if (!this.#store.capabilities.atomicIndex) await this.#pipeline.dropStaleKey(target, { index, key });
        return undefined;
      }
      return (await this.#read({ appName, userId, sessionId }, -1)).session;
    };
    const read = (from: number, count: number): Promise<(Session | undefined)[]> =>
      Promise.all(items.slice(from, from + count).map((item) => damaged.skip(sessionOf(item), undefined)));
    const listed = await fillPage({ size: items.length, limits: this.#limits, firstBatch, read });
    const sessions = listed.filter((session) => session !== undefined);
    damaged.check(sessions.length);
    return { sessions };
  }

  async delete(request: DeleteSessionRequest, call: Call): Promise<DeleteSessionResponse> {
    return this.#pipeline.execute(this.#row(sessionKey(request, this.#limits)), deleteSession, call);
  }

  async append(request: AppendEventRequest, call: Call): Promise<AppendEventResponse> {
    const command = appendEventCommand(request, `event-${call.requestHash || this.#ids.id()}`, this.#limits);
    const { key, event, delta } = command;
    const target = this.#row(key);
    if (delta.user.size + delta.app.size > 0) {
      const found = await this.#pipeline.execute(target, appendEvent(command, true), call);
      if (found !== "new") return found;
      await this.#share(key, delta, shortHash(JSON.stringify(["event", key, event.id])));
    }
    const appended = await this.#pipeline.execute(target, appendEvent(command, false), call);
    if (appended === "new") throw new RangeError("a real append answered like a dry one");
    return appended;
  }

  async #read(key: SessionKey, maxEvents: number): Promise<GetSessionResponse> {
    const { found, session, own } = await this.#pipeline.execute(this.#row(key), getSession(key, maxEvents), plainCall);
    if (session === undefined) return { found };
    const [user, app] = await Promise.all([
      this.#pipeline.execute(this.#userState(key), readShared, plainCall),
      this.#pipeline.execute(this.#appState(key), readShared, plainCall),
    ]);
    return { found, session: { ...session, stateJson: mergedState(own, user, app) } };
  }

  async #share(key: SessionKey, { user, app }: StateDelta, change: string): Promise<void> {
    const writes: Promise<null>[] = [];
    if (user.size > 0) writes.push(this.#pipeline.execute(this.#userState(key), mergeShared(change, user), plainCall));
    if (app.size > 0) writes.push(this.#pipeline.execute(this.#appState(key), mergeShared(change, app), plainCall));
    await Promise.all(writes);
  }

  #row(key: SessionKey): Target<SessionRow, RowEvent> {
    return this.#target(sessionRow(this.#partition, key.appName, key.userId, key.sessionId), sessionRules);
  }

  #userState(key: SessionKey): Target<SharedState, RowEvent> {
    return this.#target(userStateRow(this.#partition, key.appName, key.userId), sharedStateRules);
  }

  #appState(key: SessionKey): Target<SharedState, RowEvent> {
    return this.#target(appStateRow(this.#partition, key.appName), sharedStateRules);
  }

  #target<S extends { seq: number }>(row: RowId, rules: { absent(): S }): Target<S, RowEvent> {
    return { row, partition: this.#partition, rules: rules as Target<S, RowEvent>["rules"] };
  }
}
