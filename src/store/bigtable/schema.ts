import { TapeError } from "../../errors.ts";
import type { MigrationStep } from "../store.ts";
import { isAlreadyThere, isForbidden, isNotFound, isUnimplemented } from "../google/grpc-status.ts";
import { bigtableFailure } from "./bigtable-failure.ts";
import type { BigtableTarget } from "./bigtable-url.ts";
import { once } from "../google/client-options.ts";
import type { InstanceAdminClient, TableAdminClient, TableInfo } from "./driver.ts";
import { family } from "./keys.ts";

/** The admin APIs of an instance. */
export interface Admin {
  readonly tables: TableAdminClient;
  readonly instances: InstanceAdminClient;
}

/** What the table is like. */
export interface TableState {
  /** What has to be made, in order. */
  readonly missing: readonly SchemaStep[];
  /** Nobody may look: this identity has no right to. */
  readonly isHidden: boolean;
}

type SchemaStep = MigrationStep & { readonly id: 1 | 2 };

const call = once(30_000);
const gcRule = { maxNumVersions: 1 };

const parentOf = ({ project, instance }: BigtableTarget): string => `projects/${project}/instances/${instance}`;
const nameOf = (target: BigtableTarget): string => `${parentOf(target)}/tables/${target.table}`;

/** The table as people call it. */
export const placeOf = ({ project, instance, table }: BigtableTarget): string =>
  `table ${table} of Bigtable instance ${instance} in project ${project}`;

const cbt = (target: BigtableTarget, words: string): string =>
  `cbt -project ${target.project} -instance ${target.instance} ${words}`;

const tableStep = (target: BigtableTarget): SchemaStep => ({
  id: 1,
  name: `create table ${target.table} with family ${family}, one version a cell`,
  statements: cbt(target, `createtable ${target.table} families=${family}:maxversions=1`),
});

const familyStep = (target: BigtableTarget): SchemaStep => ({
  id: 2,
  name: `create family ${family}, one version a cell`,
  statements: `${cbt(target, `createfamily ${target.table} ${family}`)}\n${cbt(target, `setgcpolicy ${target.table} ${family} maxversions=1`)}`,
});

/** Looks what the table is like. Errors: STORE_NOT_USABLE, STORE_UNAVAILABLE. */
export async function lookAtTable({ tables }: Admin, target: BigtableTarget): Promise<TableState> {
  try {
    const [table] = await tables.getTable({ name: nameOf(target), view: "SCHEMA_VIEW" }, call);
    return { missing: missingIn(table, target), isHidden: false };
  } catch (error) {
    if (isNotFound(error)) return { missing: [tableStep(target)], isHidden: false };
    if (isForbidden(error)) return { missing: [], isHidden: true };
    throw bigtableFailure(error, `looking at ${placeOf(target)}`);
  }
}

function missingIn(table: TableInfo, target: BigtableTarget): readonly SchemaStep[] {
  const found = table.columnFamilies?.[family];
  if (found === undefined) return [familyStep(target)];
  const versions = found.gcRule?.maxNumVersions ?? 0;
  if (versions === 1) return [];
  throw new TapeError(
    "STORE_NOT_USABLE",
    `family ${family} of ${placeOf(target)} does not keep one version a cell, as a journal needs it: old heads would ${versions === 0 ? "stay for ever, or age out with everything else" : "stay"}; run: ${cbt(target, `setgcpolicy ${target.table} ${family} maxversions=1`)}`,
  );
}

/** Makes what is missing, also while other servers do. Errors: STORE_NOT_USABLE, naming what to run instead. */
export async function createMissing(
  { tables }: Admin,
  target: BigtableTarget,
  steps: readonly SchemaStep[],
): Promise<void> {
  for (const { id } of steps) {
    try {
      if (id === 1) {
        const table = { columnFamilies: { [family]: { gcRule } } };
        await tables.createTable({ parent: parentOf(target), tableId: target.table, table }, call);
      } else {
        const modifications = [{ id: family, create: { gcRule } }];
        await tables.modifyColumnFamilies({ name: nameOf(target), modifications }, call);
      }
    } catch (error) {
      if (isAlreadyThere(error)) continue;
      if (isForbidden(error)) throw notYetThere(target, steps, "this identity may not create it");
      throw bigtableFailure(error, `creating ${placeOf(target)}`);
    }
  }
}

/** The refusal of a table that is not as a journal needs it. */
export function notYetThere(target: BigtableTarget, steps: readonly SchemaStep[], why: string): TapeError {
  const commands = steps.map(({ statements }) => statements.replaceAll("\n", " && ")).join(" && ");
  const what = steps.map(({ name }) => name).join(", ");
  return new TapeError(
    "MIGRATION_PENDING",
    `${placeOf(target)} is not ready: missing is ${what}; ${why}. The bigtable Terraform module makes it, or: ${commands}`,
  );
}

/**
 * A journal is conditional writes, which Bigtable does on one cluster only. Errors: STORE_NOT_USABLE for an app profile
 * that routes to several or forbids them. What this identity may not see, the service refuses at the first write.
 */
export async function checkAppProfile({ instances }: Admin, target: BigtableTarget): Promise<void> {
  const id = target.appProfile ?? "default";
  try {
    const name = `${parentOf(target)}/appProfiles/${id}`;
    const [{ singleClusterRouting }] = await instances.getAppProfile({ name }, call);
    const routing = singleClusterRouting ?? undefined;
    if (routing?.allowTransactionalWrites === true) return;
    const why = routing === undefined ? "routes to several clusters" : "does not allow single-row transactions";
    throw new TapeError(
      "STORE_NOT_USABLE",
      `app profile ${id} of Bigtable instance ${target.instance} ${why}, and a journal is conditional writes on one row, which take one cluster; name another profile (?appProfile=...), or make one: gcloud bigtable app-profiles create tape --project=${target.project} --instance=${target.instance} --route-to=CLUSTER --transactional-writes`,
    );
  } catch (error) {
    // The emulator has no profiles, and an identity may be allowed to use one that it may not look at.
    if (isUnimplemented(error) || isForbidden(error)) return;
    if (isNotFound(error)) {
      throw new TapeError(
        "STORE_NOT_USABLE",
        `Bigtable instance ${target.instance} in project ${target.project} has no app profile ${id}; name another one (?appProfile=...)`,
        { cause: error },
      );
    }
    throw bigtableFailure(error, `looking at app profile ${id}`);
  }
}
