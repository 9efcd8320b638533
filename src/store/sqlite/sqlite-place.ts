import type { Append, AppendOutcome, MigrationStep } from "../store.ts";
import type { SqliteReader } from "./sqlite-reader.ts";

/** Where a journal is, and how to get at it: a file or the process's memory. */
export interface SqlitePlace {
  /** What is pending; touches and creates nothing. Errors: STORE_NOT_USABLE, FORMAT_NEWER. */
  pending(): Promise<readonly MigrationStep[]>;
  /** Applies what is pending, and says what it applied. Errors: STORE_NOT_USABLE, FORMAT_NEWER, STORE_UNAVAILABLE. */
  migrate(): Promise<readonly MigrationStep[]>;
  /** Errors: MIGRATION_PENDING, FORMAT_NEWER, STORE_NOT_USABLE, STORE_UNAVAILABLE. */
  connect(): Promise<SqliteConnections>;
}

/** An open journal. */
export interface SqliteConnections {
  readonly reader: SqliteReader;
  append(batch: readonly Append[]): Promise<readonly AppendOutcome[]>;
  close(): Promise<void>;
}
