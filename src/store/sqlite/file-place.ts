import { resolve } from "node:path";
import { migrationPending, newestFormat, refuseNewer } from "../sql/migration.ts";
import type { MigrationStep } from "../store.ts";
import { openConnection } from "./connection.ts";
import { FileConnections } from "./file-connections.ts";
import { inspectJournalFile, mustBeWritable } from "./journal-file.ts";
import { applyMigrations } from "./migrate.ts";
import { migrations } from "./schema.ts";
import { sqliteFailure } from "./sqlite-failure.ts";
import type { SqliteConnections, SqlitePlace } from "./sqlite-place.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { WriterThread } from "./writer-thread.ts";

/** A journal in a file: one connection for reading in the calling thread, one for writing in a thread of its own. */
export class FilePlace implements SqlitePlace {
  /** Absolute, so that SQLite never takes it for a `file:` URI and a change of directory does not matter. */
  readonly #path: string;
  readonly #busyTimeoutMs: number;

  constructor(path: string, busyTimeoutMs: number) {
    this.#path = resolve(path);
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  pending(): Promise<readonly MigrationStep[]> {
    return this.#opening(async () => {
      const file = await inspectJournalFile(this.#path);
      if (file.kind !== "journal") return migrations;
      refuseNewer(file.format, migrations, this.#path);
      return migrations.filter((step) => step.id > file.format);
    });
  }

  migrate(): Promise<readonly MigrationStep[]> {
    return this.#opening(async () => {
      const file = await inspectJournalFile(this.#path);
      if (file.kind === "journal") refuseNewer(file.format, migrations, this.#path);
      if (file.kind === "journal" && file.format === newestFormat(migrations)) return [];
      mustBeWritable(this.#path, file);
      const database = await openConnection(this.#connection(false));
      try {
        return applyMigrations(database, migrations, this.#path);
      } finally {
        database.close();
      }
    });
  }

  connect(): Promise<SqliteConnections> {
    return this.#opening(async () => {
      const file = await inspectJournalFile(this.#path);
      if (file.kind !== "journal") throw migrationPending(migrations, this.#path);
      refuseNewer(file.format, migrations, this.#path);
      mustBeWritable(this.#path, file);
      // The writer first: after a crash it is the one that recovers the log.
      const writer = await this.#startWriter();
      try {
        const reader = new SqliteReader(await openConnection(this.#connection(true)), this.#path);
        return new FileConnections(reader, writer, () => this.#startWriter());
      } catch (error) {
        await writer.close();
        throw error;
      }
    });
  }

  #startWriter(): Promise<WriterThread> {
    return WriterThread.start({ path: this.#path, busyTimeoutMs: this.#busyTimeoutMs });
  }

  #connection(readOnly: boolean): Parameters<typeof openConnection>[0] {
    return { path: this.#path, readOnly, busyTimeoutMs: this.#busyTimeoutMs };
  }

  async #opening<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw sqliteFailure(error, `opening ${this.#path}`, "opening");
    }
  }
}
