/** Whom a store tells what people should know about it: a server shows it in its metrics and its log. */
export interface StoreObserver {
  /** A number as of now; the latest one counts. Units are in the name, as in `horizon_stalled_seconds`. */
  readonly gauge: (name: string, help: string, value: number) => void;
  /** One line: what is wrong, why, and what to do. No payloads, no credentials. */
  readonly warn: (message: string) => void;
}

/** For stores that nobody watches. */
export const noObserver: StoreObserver = { gauge: () => undefined, warn: () => undefined };
