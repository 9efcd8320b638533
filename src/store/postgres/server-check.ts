import { TapeError } from "../../errors.ts";
import { migrationPending, pendingMigrations } from "../sql/migration.ts";
import type { MigrationStep } from "../store.ts";
import type { StoreObserver } from "../store-observer.ts";
import type { Connections, Line, Session } from "./connections.ts";
import { appliedMigrations, journalIn } from "./migrate.ts";
import { oldestVersion } from "./schema.ts";

const settingsText = `
select current_setting('server_version_num')::int, pg_is_in_recovery(),
  current_setting('transaction_read_only') = 'on', current_setting('server_encoding'), current_setting('fsync') = 'on',
  current_user`;

/** `server_version_num` is 150018 for 15.18. */
const perMajorVersion = 10_000;

/**
 * Refuses a server that cannot hold a journal; for a look at it, that it only reads is no matter. Resolves to the role
 * that is logged in.
 * Errors: STORE_NOT_USABLE; the driver's own.
 */
export async function checkServer(
  session: Session,
  place: string,
  observer: StoreObserver,
  options: { readonly onlyLooks: boolean },
): Promise<string> {
  const [line = [] as Line] = await session.query(settingsText);
  const [number, isReplica, isReadOnly, encoding, syncs, role] = line;
  const refuse = (why: string): TapeError =>
    new TapeError("STORE_NOT_USABLE", `${place} cannot hold a journal: ${why}`);
  const version = Number(number) / perMajorVersion;
  if (version < oldestVersion) {
    throw refuse(
      `it is PostgreSQL ${Math.floor(version)}, and Tape needs ${oldestVersion} or newer; upgrade the server`,
    );
  }
  if (encoding !== "UTF8") {
    throw refuse(`its encoding is ${String(encoding)}; make a database with encoding UTF8 and name that`);
  }
  if (!options.onlyLooks) {
    if (isReplica === true) throw refuse("it is a read-only replica; name the primary in the store URL");
    if (isReadOnly === true) {
      throw refuse("its transactions are read-only (default_transaction_read_only); switch that off for this role");
    }
    if (syncs !== true) {
      observer.warn(
        `${place} runs with fsync = off: what is acknowledged is lost when its machine dies; set fsync = on and restart it`,
      );
    }
  }
  return String(role);
}

/** Refuses a schema that lacks steps, or has unknown ones. Errors: MIGRATION_PENDING, FORMAT_NEWER, STORE_NOT_USABLE. */
export async function checkSchema(
  session: Session,
  connections: Connections,
  known: readonly MigrationStep[],
  schema: string,
): Promise<void> {
  const where = journalIn(connections, schema);
  const pending = pendingMigrations(known, await appliedMigrations(session, schema), where);
  if (pending.length > 0) throw migrationPending(pending, where);
}
