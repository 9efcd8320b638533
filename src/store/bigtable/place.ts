import { TapeError } from "../../errors.ts";
import type { ClientOptions } from "../google/client-options.ts";
import { openConnections } from "../google/connections.ts";
import { lostJournal } from "../google/journal-guard.ts";
import type { StoreObserver } from "../store-observer.ts";
import type { MigrationStep } from "../store.ts";
import { isNotFound } from "../google/grpc-status.ts";
import type { BigtableTarget } from "./bigtable-url.ts";
import { placeOptions } from "./connection.ts";
import { loadDriver, type DataClient, type Driver } from "./driver.ts";
import { createJournal, defaultLagMs, readJournal, type Journal } from "./journal.ts";
import { Keys } from "./keys.ts";
import {
  checkAppProfile,
  createMissing,
  lookAtTable,
  notYetThere,
  placeOf,
  type Admin,
  type TableState,
} from "./schema.ts";
import { Table, type Deadlines } from "./table.ts";

const journalStep: MigrationStep = Object.freeze({
  id: 3,
  name: "begin a journal: its identity, format and feed lag, in a row of its own",
  statements: "",
});

/** The table that a store URL names, and the way there. */
export class Place {
  readonly keys: Keys;
  /** As people call it. */
  readonly name: string;
  /** Called when a connection that worked is gone. */
  onLost: () => void = () => undefined;
  readonly #target: BigtableTarget;
  readonly #now: () => number;
  readonly #deadlines: Deadlines;
  #driver: Promise<Driver> | undefined;
  #options: Promise<ClientOptions> | undefined;
  #connecting: Promise<void> | undefined;
  #clients: readonly DataClient[] = [];
  #table: Table | undefined;

  /** @param now The machine's clock, milliseconds. */
  constructor(target: BigtableTarget, now: () => number, deadlines: Deadlines) {
    this.#target = target;
    this.#now = now;
    this.#deadlines = deadlines;
    this.keys = new Keys(target.prefix);
    this.name = placeOf(target);
  }

  /** Errors: RangeError before the first of the methods below has come back. */
  get table(): Table {
    if (this.#table === undefined) throw new RangeError("not connected yet");
    return this.#table;
  }

  /**
   * The journal that is there, after everything was checked.
   * Errors: MIGRATION_PENDING, FORMAT_NEWER, STORE_NOT_USABLE, STORE_UNAVAILABLE, DRIVER_MISSING.
   */
  async journal(observer: StoreObserver): Promise<Journal> {
    const state = await this.#withAdmin((admin) => this.#look(admin));
    if (state.missing.length > 0)
      throw notYetThere(
        this.#target,
        state.missing,
        "tape migrate or a start without --no-migrate creates it, if it may",
      );
    if (state.isHidden) {
      observer.warn(`this identity may not look at ${this.name}: family and versions a cell were not checked`);
    }
    const journal = await this.#readJournal();
    if (journal === undefined) {
      throw new TapeError(
        "MIGRATION_PENDING",
        `${this.name} holds no journal yet; run tape migrate, or start without --no-migrate`,
      );
    }
    const { feedLagMs } = this.#target;
    if (feedLagMs !== undefined && feedLagMs !== journal.times.lagMs) {
      throw new TapeError(
        "STORE_NOT_USABLE",
        `the journal in ${this.name} was made with feedLagMs=${journal.times.lagMs}, and all its servers must go by that; leave feedLagMs out of the URL`,
      );
    }
    return journal;
  }

  /** The table, connected to, whatever is in it. */
  async reach(): Promise<Table> {
    await this.#connect();
    return this.table;
  }

  /** What {@link make} would do. */
  async pending(): Promise<readonly MigrationStep[]> {
    const { missing } = await this.#withAdmin((admin) => this.#look(admin));
    if (missing.length > 0 && missing[0]?.id === 1) return [...missing, journalStep];
    if (missing.length > 0) return missing;
    return (await this.#readJournal()) === undefined ? [journalStep] : [];
  }

  /** Makes what is missing; gives what that was. Safe when several servers do it together. */
  async make(): Promise<readonly MigrationStep[]> {
    const missing = await this.#withAdmin(async (admin) => {
      const state = await this.#look(admin);
      await createMissing(admin, this.#target, state.missing);
      return state.missing;
    });
    if ((await this.#readJournal()) !== undefined) return missing;
    await createJournal(this.table, this.keys, this.#target.feedLagMs ?? defaultLagMs, this.#now());
    return [...missing, journalStep];
  }

  async close(): Promise<void> {
    await this.#connecting?.catch(() => undefined);
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #look(admin: Admin): Promise<TableState> {
    await checkAppProfile(admin, this.#target);
    return lookAtTable(admin, this.#target);
  }

  /** Errors: STORE_NOT_USABLE when the URL asks for another journal than the one that is there. */
  async #readJournal(): Promise<Journal | undefined> {
    await this.#connect();
    const { journal: wanted } = this.#target;
    try {
      const found = await readJournal(this.table, this.keys, this.name);
      if (wanted !== undefined && found?.id !== wanted) throw lostJournal(this.name, wanted, found?.id);
      return found;
    } catch (error) {
      if (wanted !== undefined && isNotFound(error)) throw lostJournal(this.name, wanted, undefined);
      throw error;
    }
  }

  async #connect(): Promise<void> {
    this.#connecting ??= this.#openConnections();
    try {
      await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }

  async #openConnections(): Promise<void> {
    const driver = await this.#loaded();
    const options = await this.#clientOptions();
    const make = (): DataClient => driver.dataClient(options);
    const clients = await openConnections(make, this.#target.channels, () => {
      this.onLost();
    });
    const table = new Table(clients, this.#target, this.#deadlines);
    try {
      await table.warm();
    } catch (error) {
      await Promise.all(clients.map((client) => client.close()));
      throw error;
    }
    this.#clients = clients;
    this.#table = table;
  }

  async #loaded(): Promise<Driver> {
    return (this.#driver ??= loadDriver());
  }

  async #clientOptions(): Promise<ClientOptions> {
    this.#options ??= placeOptions(this.#target);
    try {
      return await this.#options;
    } catch (error) {
      // Credentials may be there the next time.
      this.#options = undefined;
      throw error;
    }
  }

  async #withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const driver = await this.#loaded();
    const options = await this.#clientOptions();
    const admin = { tables: driver.tableAdmin(options), instances: driver.instanceAdmin(options) };
    try {
      return await work(admin);
    } finally {
      await Promise.all([admin.tables.close(), admin.instances.close()]);
    }
  }
}
