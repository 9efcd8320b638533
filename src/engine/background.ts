import type { IndexKey } from "../model/row.ts";

/** Work that an engine does by itself, beside its calls. */
export interface Background {
  /** Begins. Idempotent. */
  start(): void;
  /** A commit of this engine added these index keys. */
  noticed(keys: readonly IndexKey[]): void;
  /** Counters since the start, for work that has some. */
  readonly counts?: { readonly tasksMade: number; readonly predicatesFailed: number };
  /** Ends what is under way, before the engine takes no more calls. */
  close(): Promise<void>;
}
