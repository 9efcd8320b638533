import { randomBytes } from "node:crypto";
import { TapeError } from "../../errors.ts";
import { openConnections } from "../google/connections.ts";
import { lostJournal } from "../google/journal-guard.ts";
import {
  migrationChecksum,
  migrationPending,
  newestFormat,
  pendingMigrations,
  type AppliedMigration,
} from "../sql/migration.ts";
import type { MigrationStep } from "../store.ts";
import { placeOptions } from "./connection.ts";
import { Database, type Deadlines } from "./database.ts";
import { loadDriver, type DataClient, type Driver } from "./driver.ts";
import { schemaSteps } from "./schema.ts";
import { noDatabase, SchemaChanges } from "./schema-changes.ts";
import { poolSize, SessionPool, type Session } from "./session-pool.ts";
import { isAlreadyThere } from "../google/grpc-status.ts";
import { isDatabaseMissing, isTableMissing } from "./spanner-failure.ts";
import { databasePath, placeOf, type SpannerTarget } from "./spanner-url.ts";
import { commitTime, startingWith, wireList } from "./values.ts";

interface Connected {
  readonly clients: readonly DataClient[];
  readonly sessions: SessionPool;
  readonly database: Database;
}

const identity = "journal";

/** The database that a store URL names, and the way there. */
export class Place {
  /** As people call it. */
  readonly name: string;
  readonly #target: SpannerTarget;
  readonly #deadlines: Deadlines;
  readonly #steps: readonly MigrationStep[];
  #driver: Promise<Driver> | undefined;
  #connected: Promise<Connected> | undefined;
  #journal: string | undefined;

  /** @param steps Of the schema. Default: those of this version. */
  constructor(target: SpannerTarget, deadlines: Deadlines, steps: readonly MigrationStep[] = schemaSteps) {
    this.#target = target;
    this.#deadlines = deadlines;
    this.#steps = steps;
    this.name = placeOf(target);
  }

  /** It is an emulator. */
  get isEmulated(): boolean {
    return this.#target.emulator !== undefined;
  }

  /** The format that its steps lead to. */
  get formatVersion(): number {
    return newestFormat(this.#steps);
  }

  /** The database, checked. Errors: MIGRATION_PENDING, FORMAT_NEWER, STORE_NOT_USABLE, STORE_UNAVAILABLE, DRIVER_MISSING. */
  async open(): Promise<Database> {
    const { database } = await this.#connect();
    const pending = pendingMigrations(this.#steps, await applied(database), this.name);
    if (pending.length > 0) throw migrationPending(pending, this.name);
    this.#journal ??= await readIdentity(database);
    return database;
  }

  /** The steps that {@link migrate} would apply. */
  async pending(): Promise<readonly MigrationStep[]> {
    try {
      const { database } = await this.#connect();
      return pendingMigrations(this.#steps, await applied(database), this.name);
    } catch (error) {
      // On an emulator, migrating begins with the database itself.
      if (this.#target.emulator !== undefined && isNoDatabase(error)) return this.#steps;
      throw error;
    }
  }

  /** Applies what is pending; gives what no other server was faster with. Safe when several do it together. */
  async migrate(): Promise<readonly MigrationStep[]> {
    const changes = new SchemaChanges(await this.#loaded(), this.#target);
    const pending = await this.pending();
    if (pending.length === 0) return pending;
    if (this.#target.emulator !== undefined) await changes.createDatabase();
    await changes.checkDialect();
    const { database } = await this.#connect();
    const mine: MigrationStep[] = [];
    for (const step of pending) {
      await changes.apply(step);
      if (await note(database, step)) mine.push(step);
    }
    return mine;
  }

  async close(): Promise<void> {
    const connected = await this.#connected?.catch(() => undefined);
    await connected?.sessions.close();
    await Promise.all((connected?.clients ?? []).map((client) => client.close()));
  }

  async #connect(): Promise<Connected> {
    this.#connected ??= this.#openConnections();
    try {
      return await this.#connected;
    } catch (error) {
      this.#connected = undefined;
      throw isDatabaseMissing(error) ? noDatabase(this.#target) : error;
    }
  }

  async #openConnections(): Promise<Connected> {
    let onLost = (): void => undefined;
    const driver = await this.#loaded();
    const options = await placeOptions(this.#target);
    const make = (): DataClient => driver.dataClient(options);
    const clients = await openConnections(make, poolSize.channels, () => {
      onLost();
    });
    const sessions: SessionPool = new SessionPool({
      clients,
      database: databasePath(this.#target),
      deadlineMs: this.#deadlines.read,
      assure: (session) => this.#assure(database, session),
    });
    onLost = () => {
      sessions.doubt();
    };
    const database = new Database(sessions, this.#deadlines);
    try {
      await sessions.warm();
    } catch (error) {
      await Promise.all(clients.map((client) => client.close()));
      throw error;
    }
    return { clients, sessions, database };
  }

  /** An emulator that began anew, or a database that was made again, holds another journal, and nothing of this one's. */
  async #assure(database: Database, session: Session): Promise<void> {
    if (this.#journal === undefined) return;
    const found = await readIdentity(database, session);
    if (found === this.#journal) return;
    throw lostJournal(this.name, this.#journal, found === "" ? undefined : found);
  }

  #loaded(): Promise<Driver> {
    return (this.#driver ??= loadDriver());
  }
}

const isNoDatabase = (error: unknown): boolean => error instanceof TapeError && error.reason === "STORE_NOT_USABLE";

async function applied(database: Database): Promise<readonly AppliedMigration[]> {
  try {
    const columns = ["id", "checksum"];
    const { rows } = await database.read({ table: "tape_migrations", columns, keySet: { ranges: [startingWith()] } });
    return rows.map((row) => ({ id: row.number(0), checksum: row.text(1) }));
  } catch (error) {
    if (isTableMissing(error)) return [];
    throw error;
  }
}

async function readIdentity(database: Database, session?: Session): Promise<string> {
  const read = { table: "tape_meta", columns: ["value"], keySet: { keys: [wireList([identity])] } };
  const { rows } = await (session === undefined ? database.read(read) : database.readIn(session, read));
  return rows[0]?.text(0) ?? "";
}

/** Writes down that a step was applied, the first one with the identity of a new journal; false: another server has. */
async function note(database: Database, step: MigrationStep): Promise<boolean> {
  const columns = ["id", "name", "checksum", "applied_at"];
  const values = [wireList([step.id, step.name, migrationChecksum(step), commitTime])];
  const born = [wireList([identity, randomBytes(12).toString("base64url")])];
  const birth = { insert: { table: "tape_meta", columns: ["name", "value"], values: born } };
  try {
    await database.commit([
      { insert: { table: "tape_migrations", columns, values } },
      ...(step.id === 1 ? [birth] : []),
    ]);
    return true;
  } catch (error) {
    if (isAlreadyThere(error)) return false;
    throw error;
  }
}
