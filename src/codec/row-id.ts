import type { RowId, Seq } from "../model/row.ts";
import { readableHash, sha256 } from "./hash.ts";
import { keySegment } from "./segment.ts";

const segment = (text: string): string => keySegment(text, sha256);

/** The first segment of every row id and index name of one caller, so that tenants cannot meet. */
export type Partition = string & { readonly "~partition": never };

/** The partition of this name. */
export const partitionOf = (name: string): Partition => segment(name) as Partition;

/** The partition that a row is in. */
export const partitionOfRow = (row: RowId): Partition => row.slice(0, row.indexOf("/")) as Partition;

/** The kind of a row: `run`, `session`, `task` and so on. */
export const rowKind = (row: RowId): string => row.split("/", 2)[1] ?? "";

/** What identifies a run for ever. */
export interface RunIdentity {
  readonly tenantId: string;
  readonly appName: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly invocationId: string;
}

/** The id of a run: a hash of its identity, so that two first calls cannot make two runs. */
export const runIdOf = (identity: RunIdentity): string =>
  `run-${readableHash(
    JSON.stringify([identity.tenantId, identity.appName, identity.userId, identity.sessionId, identity.invocationId]),
  )}`;

const rowId = (partition: Partition, ...segments: readonly string[]): RowId =>
  `${partition}/${indexPath(...segments)}` as RowId;

/** The row of a run. */
export const runRow = (partition: Partition, runId: string): RowId => rowId(partition, "run", runId);
/** The row of a value. */
export const valueRow = (partition: Partition, namespace: string, key: string): RowId =>
  rowId(partition, "value", namespace, key);
/** The row of a session. */
export const sessionRow = (partition: Partition, app: string, user: string, session: string): RowId =>
  rowId(partition, "session", app, user, session);
/** The row of the state shared by all sessions of a user. */
export const userStateRow = (partition: Partition, app: string, user: string): RowId =>
  rowId(partition, "user-state", app, user);
/** The row of the state shared by all sessions of an app. */
export const appStateRow = (partition: Partition, app: string): RowId => rowId(partition, "app-state", app);
/** The row that says which effect owns a business key (R22). */
export const claimRow = (partition: Partition, tenant: string, connector: string, businessKey: string): RowId =>
  rowId(partition, "claim", tenant, connector, businessKey);

/** The row of a chore of the servers themselves: beside the rows of the unnamed partition, for all partitions. */
export const choreRow = (chore: string): RowId => rowId(partitionOf(""), "chore", chore);
/** The row of a reaction. */
export const reactionRow = (partition: Partition, reactionId: string): RowId =>
  rowId(partition, "reaction", reactionId);
/** The row that says how far one shard of a reaction has been matched, and by whom (R70). */
export const reactionShardRow = (reaction: RowId, shard: number): RowId =>
  `${reaction.replace("/reaction/", "/reaction-shard/")}/${shard}` as RowId;
/** The row that counts what of a reaction is handed out, so that its limits hold over all claimers (R71). */
export const reactionFlowRow = (partition: Partition, reactionId: string): RowId =>
  rowId(partition, "reaction-flow", reactionId);
/** The row of a task. */
export const taskRow = (partition: Partition, taskId: string): RowId => rowId(partition, "task", taskId);

/** The id of a task: a hash of the reaction and the entry, so that an entry cannot make two tasks of one reaction. */
export const taskIdOf = (reactionId: string, source: RowId, seq: Seq): string =>
  `task-${readableHash(JSON.stringify([reactionId, source, seq]))}`;

/** Whether this is the row of a task. */
export const isTaskRow = (row: RowId): boolean => row.startsWith(`${partitionOfRow(row)}/task/`);

/** The run id in a row id, empty for other rows (R52). Run ids are never escaped or cut: they are hashes. */
export function runIdOfRow(row: RowId): string {
  const [, kind, runId = ""] = row.split("/");
  return kind === "run" ? runId : "";
}

/** Name of an index without its partition. */
export const indexPath = (...segments: readonly string[]): string => segments.map(segment).join("/");

/** Name of an index. All but {@link tickIndex}, {@link reactorIndex} and those of retention start with the caller's partition. */
export const indexName = (partition: Partition, ...segments: readonly string[]): string =>
  `${partition}/${indexPath(...segments)}`;

/** Runs in which the server itself has something to do, by when. One for all partitions: only the server reads it. */
export const tickIndex = "tick";
/** Runs that are over and have payloads, by when they ended; and those that have none any more. For retention alone. */
export const payloadsIndex = "retain-payloads";
export const retireIndex = "retain-runs";

/** Tasks that are DONE, by when; tasks that were given up; reactions that were deregistered. For retention alone. */
export const retireTasksIndex = "retain-tasks";
export const retireDeadTasksIndex = "retain-dead-tasks";
export const deregisteredIndex = "retain-reactions";

/** The reactions that are registered. One for all partitions: only the server reads it. */
export const reactorIndex = "reactor";
