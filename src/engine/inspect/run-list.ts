import { pageToken, badToken, positionIn } from "../../codec/page-token.ts";
import { runIdOfRow, runRow } from "../../codec/row-id.ts";
import { runOfHead } from "../../journal/run/head.ts";
import {
  allRunsIndex,
  appIndex,
  isListKey,
  keyFilter,
  keyRange,
  listKeyOf,
  statusIndex,
} from "../../journal/run/list-key.ts";
import { runRules } from "../../journal/run/rules.ts";
import type { Status } from "../../journal/run/run.ts";
import { runView } from "../../journal/run/views.ts";
import { integer, oneOf, optionalId, pageSize } from "../../journal/validate.ts";
import type { ListRunsRequest, ListRunsResult } from "../../model/inspect.ts";
import type { RunState } from "../../model/run.ts";
import type { ScanItem } from "../../store/store.ts";
import { tenantFilter } from "../tenant.ts";
import { DamagedRows } from "../damaged-rows.ts";
import { fillPage } from "../page.ts";
import type { InspectPorts } from "./ports.ts";
import { RunKeys, type FoundKey } from "./run-keys.ts";

/** Keys of one read when most of them may be of other runs. */
const searchPage = 1000;
/** Keys that a page looks at, at most, for runs that no index tells apart. */
const mostKeys = 10 * searchPage;
/** Rows that are read together. */
const readTogether = 64;
/** Rows that a page reads for nothing, at most: their keys were stale, or looked like those of others. */
const mostMisses = 1000;

/** What a list of runs is of, checked. */
interface RunQuery {
  readonly tenantId: string | null;
  readonly appName: string | null;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly statuses: readonly Status[];
  readonly fromMs: number;
  readonly beforeMs: number;
}

const statuses = [
  "RUNNABLE",
  "RUNNING",
  "WAITING",
  "TERMINAL",
  "FAILED",
  "COMPENSATING",
  "STUCK",
  "CANCELLED",
] as const satisfies readonly Status[];

function queryOf({ access, limits }: InspectPorts, request: ListRunsRequest): RunQuery {
  const id = (name: string, value: string | undefined): string | null => optionalId(name, value, limits) || null;
  const wanted = (request.statuses ?? []).map((status) => oneOf("statuses", status, statuses));
  return {
    tenantId: tenantFilter(access, optionalId("tenant_id", request.tenantId, limits)),
    appName: id("app_name", request.appName),
    userId: id("user_id", request.userId),
    sessionId: id("session_id", request.sessionId),
    statuses: [...new Set(wanted)].toSorted(),
    fromMs: Math.max(0, integer("started_from_ms", request.startedFromMs)),
    beforeMs: Math.max(0, integer("started_before_ms", request.startedBeforeMs)),
  };
}

/** The indexes that together hold what is asked for, the narrowest there are. */
function indexesFor({ statuses: wanted, appName }: RunQuery): readonly string[] {
  if (wanted.length > 0) return wanted.map(statusIndex);
  return [appName === null ? allRunsIndex : appIndex(appName)];
}

/**
 * ListRuns (R80): keys newest first, each row asked by its head alone. Pages of a query that an index answers cost the
 * same however many runs there are.
 */
export async function listRuns(ports: InspectPorts, request: ListRunsRequest): Promise<ListRunsResult> {
  const { store, limits, partition } = ports;
  const query = queryOf(ports, request);
  const size = pageSize(request.pageSize, limits, "page_size");
  const name = JSON.stringify(["ListRuns", partition, query]);
  const after = positionOf(ports, request.pageToken ?? "", name);
  const { tenantId, appName, userId, sessionId, statuses: wanted } = query;
  const isMarked = keyFilter({ tenantId, appName, userId, sessionId });
  const isIndexed = [tenantId, userId, sessionId, wanted.length > 0 ? appName : null].every((one) => one === null);
  const keys = new RunKeys({
    store,
    indexes: indexesFor(query).map((index) => `${partition}/${index}`),
    range: keyRange(query.fromMs, query.beforeMs),
    after,
    pageSize: isIndexed ? size : searchPage,
  });
  const damaged = new DamagedRows();
  let rowsRead = 0;
  const found: { readonly run: RunState; readonly at: ScanItem }[] = [];
  while (found.length < size && keys.more && keys.keysRead <= mostKeys && rowsRead < size + mostMisses) {
    const batch: FoundKey[] = [];
    const room = Math.min(size - found.length, readTogether);
    while (batch.length < room && keys.keysRead <= mostKeys) {
      const key = await keys.next();
      if (key === undefined) break;
      if (isMarked(key.key)) batch.push(key);
    }
    rowsRead += batch.length;
    const states = await Promise.all(batch.map((key) => damaged.skip(readRun(ports, key), null)));
    for (const [i, run] of states.entries()) {
      const at = batch[i];
      if (run === null || at === undefined) continue;
      if (isStale(run, at, wanted)) await dropStale(ports, at);
      else if (isWanted(run, query)) found.push({ run, at });
    }
  }
  if (!keys.more) damaged.check(found.length);
  const page = await fillPage({
    size,
    limits,
    firstBatch: size,
    read: (from, count) => Promise.resolve(found.slice(from, from + count).map(({ run }) => run)),
  });
  const isCut = page.length < found.length;
  const last = isCut ? found[page.length - 1]?.at : keys.last;
  const nextPageToken = last !== undefined && (isCut || keys.more) ? tokenOf(last, name) : "";
  return { runs: page, nextPageToken, keysRead: keys.keysRead, rowsRead };
}

/** What the row's head says; `null`: there is no such run (yet, or any more). Not through the pipeline: a list would fill its cache. */
async function readRun({ store }: InspectPorts, { row }: ScanItem): Promise<RunState | null> {
  const slice = await store.read(row, { limit: 0 });
  const run = slice === null ? null : runOfHead(slice.head, row);
  // A key may be left over of a run that was deleted.
  return run === null || run.seq === 0 || run.deletedAtMs > 0 ? null : runView(run);
}

const isWanted = (run: RunState, query: RunQuery): boolean =>
  (query.statuses.length === 0 || query.statuses.includes(run.status as Status)) &&
  (["tenantId", "appName", "userId", "sessionId"] as const).every(
    (name) => query[name] === null || query[name] === run[name],
  );

/**
 * Whether the run does not stand here: in the list of a status that it has left, or at the time of a first attempt to begin
 * it, which had added its keys and got no further.
 */
const isStale = (run: RunState, { key }: ScanItem, wanted: readonly Status[]): boolean =>
  key !== listKeyOf(run) || (wanted.length > 0 && !wanted.includes(run.status as Status));

/** A key at which the run does not stand: takes it away, where a crash may have left it. */
async function dropStale({ pipeline, store, partition }: InspectPorts, { row, index, key }: FoundKey): Promise<void> {
  if (store.capabilities.atomicIndex) return;
  await pipeline.dropStaleKey({ row, partition, rules: runRules }, { index, key });
}

/** The run instead of its row: no token leads out of the caller's partition. */
const tokenOf = ({ key, row }: ScanItem, name: string): string => pageToken(name, [key, runIdOfRow(row)]);

function positionOf({ partition }: InspectPorts, token: string, name: string): ScanItem | undefined {
  const position = positionIn(token, name);
  if (position === null) return undefined;
  const [key, runId] = position;
  if (position.length !== 2 || typeof key !== "string" || typeof runId !== "string" || !isListKey(key))
    throw badToken();
  return { key, row: runRow(partition, runId) };
}
