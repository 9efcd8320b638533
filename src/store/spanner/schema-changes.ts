import { setTimeout as pause } from "node:timers/promises";
import { TapeError } from "../../errors.ts";
import type { MigrationStep } from "../store.ts";
import { placeOptions } from "./connection.ts";
import { once } from "../google/client-options.ts";
import type { DatabaseAdminClient, Driver } from "./driver.ts";
import { statementsOf } from "./schema.ts";
import { isAlreadyThere, isForbidden } from "../google/grpc-status.ts";
import { isDatabaseMissing, isPreconditionFailed } from "./spanner-failure.ts";
import { databasePath, instancePath, placeOf, type SpannerTarget } from "./spanner-url.ts";

const call = once(60_000);
/** Another server changes the schema at the same time, or a transaction is under way on the emulator. */
const pausesMs = [50, 100, 200, 400, 800, 1600, 3200, 6400] as const;

/** What goes through the admin APIs; each call makes clients of its own, for it is made once in a server's life. */
export class SchemaChanges {
  readonly #driver: Driver;
  readonly #target: SpannerTarget;

  constructor(driver: Driver, target: SpannerTarget) {
    this.#driver = driver;
    this.#target = target;
  }

  /**
   * Creates instance and database on an emulator, where nobody else does. Idempotent. Errors: STORE_NOT_USABLE on the
   * service: a database costs money, and where it lies is not for Tape to say.
   */
  async createDatabase(): Promise<void> {
    if (this.#target.emulator === undefined) throw noDatabase(this.#target);
    const { project, instance, database } = this.#target;
    const options = await placeOptions(this.#target);
    const instances = this.#driver.instanceAdmin(options);
    try {
      await there(async () => {
        const config = `projects/${project}/instanceConfigs/emulator-config`;
        const made = { config, displayName: instance, nodeCount: 1 };
        const [operation] = await instances.createInstance(
          { parent: `projects/${project}`, instanceId: instance, instance: made },
          call,
        );
        await operation.promise();
      });
    } finally {
      await instances.close();
    }
    await this.#withDatabases(async (databases) => {
      await there(async () => {
        const createStatement = `CREATE DATABASE \`${database}\``;
        const [operation] = await databases.createDatabase(
          { parent: instancePath(this.#target), createStatement },
          call,
        );
        await operation.promise();
      });
    });
  }

  /** Errors: STORE_NOT_USABLE for a database that speaks PostgreSQL. */
  async checkDialect(): Promise<void> {
    await this.#withDatabases(async (databases) => {
      try {
        const [{ databaseDialect }] = await databases.getDatabase({ name: databasePath(this.#target) }, call);
        if (databaseDialect !== "POSTGRESQL") return;
      } catch (error) {
        // An identity may be allowed to change a database that it may not look at.
        if (isForbidden(error)) return;
        throw error;
      }
      throw new TapeError(
        "STORE_NOT_USABLE",
        `${placeOf(this.#target)} has the PostgreSQL dialect, and a journal needs GoogleSQL; create another database`,
      );
    });
  }

  /** One batch for the step. Other servers may do the same at the same time. */
  async apply(step: MigrationStep): Promise<void> {
    await this.#withDatabases(async (databases) => {
      const request = { database: databasePath(this.#target), statements: statementsOf(step) };
      for (const pauseMs of [...pausesMs, 0]) {
        try {
          const [operation] = await databases.updateDatabaseDdl(request, call);
          await operation.promise();
          return;
        } catch (error) {
          if (!isPreconditionFailed(error) || pauseMs === 0) throw error;
        }
        await pause(pauseMs);
      }
    });
  }

  async #withDatabases<T>(work: (databases: DatabaseAdminClient) => Promise<T>): Promise<T> {
    const databases = this.#driver.databaseAdmin(await placeOptions(this.#target));
    try {
      return await work(databases);
    } catch (error) {
      if (isForbidden(error)) {
        throw new TapeError(
          "STORE_NOT_USABLE",
          `this identity may not change the schema of ${placeOf(this.#target)}: run tape migrate once as one with roles/spanner.databaseAdmin, then start with --no-migrate`,
          { cause: error },
        );
      }
      if (isDatabaseMissing(error)) throw noDatabase(this.#target);
      throw error;
    } finally {
      await databases.close();
    }
  }
}

async function there(create: () => Promise<void>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  }
}

/** The refusal of a database that does not exist. */
export function noDatabase(target: SpannerTarget): TapeError {
  const { project, instance, database, emulator } = target;
  const advice =
    emulator === undefined
      ? `the spanner Terraform module makes it, or: gcloud spanner instances create ${instance} --project=${project} --config=CONFIG --description=tape --processing-units=100 && gcloud spanner databases create ${database} --project=${project} --instance=${instance}; it must be empty`
      : "tape migrate creates it on an emulator";
  return new TapeError("STORE_NOT_USABLE", `${placeOf(target)} does not exist; ${advice}`);
}
