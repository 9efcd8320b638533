/** A conversation: events and merged state. */
export interface Session {
  readonly appName: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly stateJson: string;
  readonly events: readonly EventRecord[];
  readonly lastUpdateTimeMs: number;
}

/** One event of a session. */
export interface EventRecord {
  readonly id?: string | undefined;
  readonly invocationId?: string | undefined;
  readonly author?: string | undefined;
  readonly branch?: string | undefined;
  readonly contentJson?: string | undefined;
  readonly actionsJson?: string | undefined;
  readonly timestampMs?: number | undefined;
}

/** Makes a session (R66). */
export interface CreateSessionRequest {
  readonly appName: string;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly stateJson?: string | undefined;
}

/** Asks for a session with its latest events (R66). */
export interface GetSessionRequest {
  readonly appName: string;
  readonly userId?: string | undefined;
  readonly sessionId: string;
  /** The latest n events; 0 means all. */
  readonly maxEvents?: number | undefined;
}

/** The session, if there is one. */
export interface GetSessionResponse {
  readonly found: boolean;
  readonly session?: Session | undefined;
}

/** Asks for the sessions of a user, newest first, without events (R66). */
export interface ListSessionsRequest {
  readonly appName: string;
  readonly userId?: string | undefined;
}

/** Sessions, newest first. */
export interface ListSessionsResponse {
  readonly sessions: readonly Session[];
}

/** Deletes a session with its events. */
export interface DeleteSessionRequest {
  readonly appName: string;
  readonly userId?: string | undefined;
  readonly sessionId: string;
}

/** Whether there was one to delete. */
export interface DeleteSessionResponse {
  readonly deleted: boolean;
}

/** Adds an event and changes the state, in one commit (R65). */
export interface AppendEventRequest {
  readonly appName: string;
  readonly userId?: string | undefined;
  readonly sessionId: string;
  readonly event: EventRecord;
  readonly stateDeltaJson?: string | undefined;
}

/** The event as recorded. */
export interface AppendEventResponse {
  readonly event: EventRecord;
  readonly lastUpdateTimeMs: number;
}
