import type { Life } from "../actors/actor.ts";
import { appOf, userOf } from "../actors/script.ts";
import type { Stage } from "../actors/stage.ts";
import type { Auditor } from "../audit/auditor.ts";
import { isOver, type RunRecord } from "../audit/run-record.ts";
import type { CallSpec } from "../world/network.ts";
import { listedApp } from "./opener.ts";

interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

const mostPages = 200;

/** What an inspector knows. */
export interface Inspection {
  readonly auditor: Auditor;
  /** Clocks are right. */
  readonly isSteady: boolean;
  /** Runs are listed that began then or later, unless they are those of one user. */
  readonly fromMs: number;
}

/** One round of somebody who pages through lists while they change (R80 to R84). */
export async function inspectorRound(life: Life, stage: Stage, inspection: Inspection): Promise<void> {
  const { random } = life.world;
  const runId = [...stage.begun.values()].at(-1);
  const way = random.pick(["runs", "runs", "runs", "journal", "detail", "attention"] as const);
  if (way === "runs") await pageRuns(life, stage, inspection);
  else if (way === "attention") await pageAttention(life, stage, inspection);
  else if (runId !== undefined && way === "journal") await pageJournal(life, stage, runId);
  else if (runId !== undefined) await pageDetail(life, stage, runId);
}

/** Reads all pages of a list, each from whichever server answers, with a page size that changes. */
async function pagesOf<T>(life: Life, spec: (pageToken: string, pageSize: number) => CallSpec<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  let token = "";
  for (let pages = 0; pages < mostPages; pages += 1) {
    const { items, nextPageToken } = await life.call(spec(token, 1 + life.world.random.int(4)));
    all.push(...items);
    if (nextPageToken === "") return all;
    token = nextPageToken;
  }
  life.world.violated("list-is-whole", `${life.name} has read ${mostPages} pages, and there are more`);
  return all;
}

/** Each wanted one is there once, and none is there twice. */
function mustBeWhole({ promises }: Stage, what: string, found: readonly string[], wanted: readonly string[]): void {
  const twice = found.find((name, i) => found.indexOf(name) !== i);
  promises.must(twice === undefined, "list-is-whole", () => `${what} has ${twice ?? ""} twice`);
  const missing = wanted.find((name) => !found.includes(name));
  promises.must(missing === undefined, "list-is-whole", () => `${what} leaves out ${missing ?? ""}`);
}

/** Which runs a list is of. */
interface RunFilter {
  readonly appName?: string;
  readonly userId?: string;
  readonly startedFromMs?: number;
  readonly statuses?: readonly ("TERMINAL" | "FAILED")[];
}

async function pageRuns(life: Life, stage: Stage, { auditor, fromMs }: Inspection): Promise<void> {
  const startedFromMs = fromMs;
  const filter = life.world.random.pick<RunFilter>([
    { startedFromMs },
    { appName: listedApp, startedFromMs },
    { appName: appOf, startedFromMs },
    // Through all that there is.
    { userId: userOf },
    { statuses: ["TERMINAL"] },
    { statuses: ["TERMINAL", "FAILED"], startedFromMs },
    { appName: listedApp, statuses: ["FAILED"] },
  ]);
  const { appName, userId, statuses, startedFromMs: since = 0 } = filter;
  // A status that is none of the last ones may change while one pages.
  const isMeant = ({ head, status }: RunRecord): boolean =>
    (appName === undefined || head?.app === appName) &&
    (userId === undefined || head?.user === userId) &&
    (head === null || head.started_at_ms >= since) &&
    (statuses === undefined || (isOver(status) && statuses.some((one) => one === status)));
  const idsOf = (runs: Iterable<RunRecord>): string[] =>
    Array.from(runs, ({ head }) => head?.run_id ?? "").filter((runId) => runId !== "");
  const wanted = idsOf([...auditor.runs.values()].filter(isMeant));
  const runs = await pagesOf(life, (pageToken, pageSize) => ({
    method: "ListRuns",
    about: `${JSON.stringify(filter)}, ${pageSize} from ${pageToken || "the first"}`,
    send: async (tape, options) => {
      const page = await tape.inspect.listRuns({ ...filter, pageSize, pageToken }, options);
      return { items: page.runs, nextPageToken: page.nextPageToken };
    },
  }));
  const what = `the list of runs ${JSON.stringify(filter)}`;
  mustBeWhole(
    stage,
    what,
    runs.map(({ runId }) => runId),
    wanted,
  );
  for (const [i, run] of runs.entries()) {
    const next = runs[i + 1];
    stage.promises.must(
      next === undefined || next.startedAtMs <= run.startedAtMs,
      "list-is-whole",
      () => `${what} has ${run.runId} before ${next?.runId ?? ""}, which began later`,
    );
    const isOne = stage.promises.run(run.runId).statuses.has(run.status);
    stage.promises.must(isOne, "list-is-whole", () => `${what} has ${run.runId} as ${run.status}, which it never was`);
  }
}

async function pageJournal(life: Life, stage: Stage, runId: string): Promise<void> {
  const { seq } = stage.promises.run(runId);
  const entries = await pagesOf(life, (pageToken, pageSize) => ({
    method: "ReadJournal",
    about: `${runId}, ${pageSize} from ${pageToken || "the first"}`,
    send: async (tape, options) => {
      const page = await tape.inspect.readJournal({ runId, pageSize, pageToken }, options);
      return { items: page.records, nextPageToken: page.nextPageToken };
    },
  }));
  const isInOrder = entries.every(({ entry }, i) => entry.seq === i + 1);
  stage.promises.must(
    isInOrder && entries.length >= seq,
    "list-is-whole",
    () =>
      `the journal of ${runId} had ${seq} entries, the pages have ${entries.map(({ entry }) => entry.seq).join(", ")}`,
  );
}

async function pageDetail(life: Life, stage: Stage, runId: string): Promise<void> {
  const record = stage.promises.run(runId);
  const names = (effects: Iterable<string>, obligations: Iterable<number>): string[] => [
    ...Array.from(effects, (key) => `effect ${key}`),
    ...Array.from(obligations, (seq) => `obligation ${seq}`),
  ];
  const wanted = names(record.effects.keys(), record.obligations.keys());
  const found = await pagesOf(life, (pageToken, pageSize) => ({
    method: "GetRunDetail",
    about: `${runId}, ${pageSize} from ${pageToken || "the first"}`,
    send: async (tape, options) => {
      const page = await tape.inspect.getRunDetail({ runId, pageSize, pageToken }, options);
      const keys = page.effects.map(({ idempotencyKey }) => idempotencyKey);
      const seqs = page.obligations.map(({ seq }) => seq);
      return { items: names(keys, seqs), nextPageToken: page.nextPageToken };
    },
  }));
  mustBeWhole(stage, `the detail of ${runId}`, found, wanted);
}

async function pageAttention(life: Life, stage: Stage, { auditor, isSteady }: Inspection): Promise<void> {
  const unknown = (): string[] =>
    [...auditor.runs.values()].flatMap(({ head, effects }) =>
      [...effects.values()].flatMap(({ key, status }) =>
        status === "UNKNOWN" ? [`${head?.run_id ?? ""} ${key}`] : [],
      ),
    );
  const before = unknown();
  const items = await pagesOf(life, (pageToken, pageSize) => ({
    method: "ListAttention",
    about: `${pageSize} from ${pageToken || "the first"}`,
    send: async (tape, options) => {
      const page = await tape.inspect.listAttention({ kinds: ["EFFECT_UNKNOWN"], pageSize, pageToken }, options);
      return { items: page.items, nextPageToken: page.nextPageToken };
    },
  }));
  const after = unknown();
  mustBeWhole(
    stage,
    "the list of effects in doubt",
    items.map(({ run, effect }) => `${run.runId} ${effect?.idempotencyKey ?? ""}`),
    // A server whose clock is behind lists later what one that is before has written down.
    isSteady ? before.filter((name) => after.includes(name)) : [],
  );
}
