import { migrationChecksum, migrationPending, pendingMigrations, type AppliedMigration } from "../sql/migration.ts";
import type { MigrationStep } from "../store.ts";
import { applicationId } from "./journal-file.ts";
import type { SqliteDatabase } from "./open-sqlite.ts";

const migrationsTable = `
create table if not exists tape_migrations (
  id integer primary key,
  name text not null,
  checksum text not null,
  applied_at text not null
) strict`;

/** What was done to this database so far. */
function appliedMigrations(database: SqliteDatabase): readonly AppliedMigration[] {
  const exists = database.prepare("select 1 from sqlite_schema where name = 'tape_migrations'").get();
  if (exists === undefined) return [];
  const rows = database.prepare("select id, checksum from tape_migrations order by id").all();
  return rows.map((row) => ({ id: Number(row["id"]), checksum: String(row["checksum"]) }));
}

/** Refuses a database that lacks steps, or has unknown ones. Errors: MIGRATION_PENDING, FORMAT_NEWER, STORE_NOT_USABLE. */
export function mustBeMigrated(database: SqliteDatabase, known: readonly MigrationStep[], where: string): void {
  const pending = pendingMigrations(known, appliedMigrations(database), where);
  if (pending.length > 0) throw migrationPending(pending, where);
}

/**
 * Applies what is pending, each step in a transaction of its own, and returns what this call applied. The write lock
 * is taken before looking, so of several processes one applies a step and the others find it done.
 * Errors: FORMAT_NEWER, STORE_NOT_USABLE; SQLite's own.
 */
export function applyMigrations(
  database: SqliteDatabase,
  known: readonly MigrationStep[],
  where: string,
): readonly MigrationStep[] {
  const done: MigrationStep[] = [];
  while (pendingMigrations(known, appliedMigrations(database), where).length > 0) {
    const step = applyNext(database, known, where);
    if (step !== undefined) done.push(step);
  }
  return done;
}

function applyNext(
  database: SqliteDatabase,
  known: readonly MigrationStep[],
  where: string,
): MigrationStep | undefined {
  database.exec("begin immediate");
  try {
    const [step] = pendingMigrations(known, appliedMigrations(database), where);
    if (step !== undefined) {
      database.exec(migrationsTable);
      database.exec(step.statements);
      database
        .prepare("insert into tape_migrations values (?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))")
        .run(step.id, step.name, migrationChecksum(step));
      database.exec(`pragma application_id = ${applicationId}; pragma user_version = ${step.id}`);
    }
    database.exec("commit");
    return step;
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}
