import { TapeError } from "../../errors.ts";
import { migrationChecksum, pendingMigrations, type AppliedMigration } from "../sql/migration.ts";
import type { MigrationStep } from "../store.ts";
import type { Connections, Session } from "./connections.ts";
import { sqlState } from "./postgres-failure.ts";
import { quoteIdentifier, quoteText } from "./schema.ts";

/** Insufficient privilege, and no schema to create in: there is one, but this role may not even look into it. */
const forbidden: ReadonlySet<unknown> = new Set(["42501", "3F000"]);

const migrationsTable = `
create table if not exists tape_migrations (
  id integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
)`;

/** One lock for each schema of a database: any number that other applications are unlikely to use. */
const lock = (schema: string): string => `pg_advisory_xact_lock(hashtext('tape'), hashtext(${quoteText(schema)}))`;

/** What was done to this schema so far. Errors: the driver's own. */
export async function appliedMigrations(session: Session, schema: string): Promise<readonly AppliedMigration[]> {
  // Not to_regclass(): within a transaction that has waited for another server it still says what it said before.
  const [found] = await session.query(
    "select 1 from pg_class where relname = 'tape_migrations' and relnamespace = (select oid from pg_namespace where nspname = $1)",
    [schema],
  );
  if (found === undefined) return [];
  const lines = await session.query(`select id, checksum from ${quoteIdentifier(schema)}.tape_migrations order by id`);
  return lines.map(([id, checksum]) => ({ id: Number(id), checksum: String(checksum) }));
}

/**
 * Applies what is pending, each step in a transaction of its own under a lock, so that of several servers starting
 * together one applies a step and the others wait and find it done. Returns what this call applied.
 * Errors: FORMAT_NEWER, STORE_NOT_USABLE, with what to do for a role that may not; the driver's own.
 */
export async function applyMigrations(
  connections: Connections,
  known: readonly MigrationStep[],
  schema: string,
): Promise<readonly MigrationStep[]> {
  const where = journalIn(connections, schema);
  const applied = await connections.session((session) => appliedMigrations(session, schema));
  let pending = pendingMigrations(known, applied, where).length;
  const done: MigrationStep[] = [];
  while (pending > 0) {
    try {
      pending = await connections.transaction(async (session) => {
        const { step, left } = await applyNext(session, known, schema, where);
        if (step !== undefined) done.push(step);
        return left;
      });
    } catch (error) {
      throw forbidden.has(sqlState(error)) ? mayNot(where, error) : error;
    }
  }
  return done;
}

/** How messages name the journal. */
export const journalIn = (connections: Connections, schema: string): string =>
  `the journal in schema ${JSON.stringify(schema)} of ${connections.place}`;

async function applyNext(
  session: Session,
  known: readonly MigrationStep[],
  schema: string,
  where: string,
): Promise<{ readonly step: MigrationStep | undefined; readonly left: number }> {
  // Other servers may take their time.
  await session.query("set local statement_timeout = 0");
  await session.query(`select ${lock(schema)}`);
  const [step, ...others] = pendingMigrations(known, await appliedMigrations(session, schema), where);
  if (step === undefined) return { step, left: 0 };
  const [exists] = await session.query("select 1 from pg_namespace where nspname = $1", [schema]);
  if (exists === undefined) await session.query(`create schema ${quoteIdentifier(schema)}`);
  await session.query(inSchema(schema));
  await session.query(migrationsTable);
  await session.query(step.statements);
  await session.query("insert into tape_migrations (id, name, checksum) values ($1, $2, $3)", [
    step.id,
    step.name,
    migrationChecksum(step),
  ]);
  return { step, left: others.length };
}

/** Names without a schema mean this one, to the end of the transaction; system names still come first. */
const inSchema = (schema: string): string => `set local search_path to ${quoteIdentifier(schema)}`;

function mayNot(where: string, cause: unknown): TapeError {
  return new TapeError(
    "STORE_NOT_USABLE",
    `${where} cannot be made: this role may not create tables there; hand the output of \`tape migrate --dry-run --sql\` to whoever administers the database, then start again`,
    { cause },
  );
}

/** A pending step as somebody else can run it with psql, to the same effect, for a role that may only use the tables. */
export function runnableStep(step: MigrationStep, schema: string, role: string): MigrationStep {
  const name = quoteIdentifier(schema);
  const user = quoteIdentifier(role);
  const statements = [
    "begin;",
    `select ${lock(schema)};`,
    ...(schema === "public" ? [] : [`create schema if not exists ${name};`]),
    `${inSchema(schema)};`,
    `${migrationsTable.trim()};`,
    step.statements.trim(),
    `insert into tape_migrations (id, name, checksum) values (${step.id},${quoteText(step.name)},${quoteText(migrationChecksum(step))});`,
    `grant usage on schema ${name} to ${user};`,
    `grant select, insert, update, delete on all tables in schema ${name} to ${user};`,
    "commit;",
  ];
  return { ...step, statements: `${statements.join("\n\n")}\n` };
}
