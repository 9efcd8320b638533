/** What stops the database for a moment. */
export interface Outage {
  /** In the report. */
  readonly name: string;
  /** Kills it, and resolves when it answers again. */
  readonly strike: () => Promise<void>;
}

/** One request that a store makes of its database, and what becomes of it. */
export interface Request {
  /** The call is made by this store, on one of these rows, and may write. */
  readonly rows: readonly string[];
  /** Which of them, from 1. */
  readonly nth: number;
  readonly fate: RequestFate;
}

/**
 * `lost`: the database never hears of it. `answer lost`: it does what it was asked, and the answer gets nowhere. With
 * `cut` the store learns that its connections are broken; otherwise it waits.
 */
export interface RequestFate {
  readonly lost: "request" | "answer";
  readonly cut: boolean;
}

/** Sees the requests between server and database, where that can be. */
export interface Wire {
  /** Resolves when the request has come, and has met its fate. */
  catch(request: Request): { readonly struck: Promise<void>; readonly stop: () => void };
  /** Counts the writing requests on these rows from now on. */
  count(rows: readonly string[]): () => number;
  /** Breaks every connection of the server. */
  cut(): void;
}

/** Where a journal is, and what can be killed there. */
export interface Place {
  /** In the report. */
  readonly title: string;
  /** May hold a password: never to be printed. */
  readonly storeUrl: string;
  /** What the server needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** How long a commit takes at most when little else goes on, in microseconds: kills in the middle of one fall within. */
  readonly commitUs: number;
  /** Calls to be at their step when something is killed, unless told: 1, so that each is killed by itself, where a kill is cheap. */
  readonly together: number;
  readonly outages: readonly Outage[];
  readonly wire?: Wire | undefined;
  /** What the report says about what is not killed here. */
  readonly note?: string | undefined;
  remove(): Promise<void>;
}
