import { migrationPending } from "../sql/migration.ts";
import type { MigrationStep } from "../store.ts";
import { appendOutcomes } from "./append-outcomes.ts";
import { BatchWriter } from "./batch-writer.ts";
import { defaultBusyTimeoutMs, inMemory, openConnection } from "./connection.ts";
import { applyMigrations } from "./migrate.ts";
import type { SqliteDatabase } from "./open-sqlite.ts";
import { migrations } from "./schema.ts";
import type { SqliteConnections, SqlitePlace } from "./sqlite-place.ts";
import { SqliteReader } from "./sqlite-reader.ts";

/** `sqlite::memory:`: one connection for everything, in the calling thread, since threads cannot share it. */
export class MemoryPlace implements SqlitePlace {
  #database: SqliteDatabase | undefined;

  async pending(): Promise<readonly MigrationStep[]> {
    return this.#database === undefined ? migrations : [];
  }

  async migrate(): Promise<readonly MigrationStep[]> {
    if (this.#database !== undefined) return [];
    const database = await openConnection({ path: inMemory, readOnly: false, busyTimeoutMs: defaultBusyTimeoutMs });
    const steps = applyMigrations(database, migrations, inMemory);
    this.#database = database;
    return steps;
  }

  async connect(): Promise<SqliteConnections> {
    if (this.#database === undefined) throw migrationPending(migrations, inMemory);
    const writer = new BatchWriter(this.#database, inMemory);
    return {
      reader: new SqliteReader(this.#database, inMemory),
      append: async (batch) => appendOutcomes(writer.apply(batch)),
      close: async () => writer.close(),
    };
  }
}
