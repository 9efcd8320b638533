import { once } from "../google/client-options.ts";
import { isNotFound } from "../google/grpc-status.ts";
import { bigtableFailure } from "./bigtable-failure.ts";
import type { BigtableTarget } from "./bigtable-url.ts";
import { placeOptions } from "./connection.ts";
import { loadDriver, type TableInfo } from "./driver.ts";

/**
 * The column families of the table, with their rules; undefined: there is no such table.
 * Errors: DRIVER_MISSING, STORE_NOT_USABLE, STORE_UNAVAILABLE.
 */
export async function readFamilies(
  target: Pick<BigtableTarget, "project" | "instance" | "table" | "emulator">,
): Promise<TableInfo["columnFamilies"] | undefined> {
  const { project, instance, table } = target;
  const admin = (await loadDriver()).tableAdmin(await placeOptions(target));
  try {
    const name = `projects/${project}/instances/${instance}/tables/${table}`;
    const [info] = await admin.getTable({ name, view: "SCHEMA_VIEW" }, once(10_000));
    return info.columnFamilies ?? {};
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw bigtableFailure(error, `looking at table ${table} of Bigtable instance ${instance}`);
  } finally {
    await admin.close();
  }
}
