import type { JournalRecord } from "../../../src/model/inspect.ts";
import { TapeError } from "../../../src/errors.ts";
import type { Tape } from "../../../src/model/tape.ts";

/** Everything that can be read about one thing, a line each; the same line twice is the same thing twice. */
export type Facts = readonly string[];

/** Fields that two undisturbed scenarios do not have alike: places in a journal, times, ids of commits and traces. */
const volatile: ReadonlySet<string> = new Set([
  "seq",
  "seqCursor",
  "nextSeq",
  "obligation_seq",
  "obligationSeq",
  "globalSeq",
  "sourceGlobalSeq",
  "traceId",
  "spanId",
  "parentSpanId",
  "taskId",
  "version",
  // They add up what is in the journal before, also of a neighbour; the budget itself is a fact of its own.
  "usd_spent",
  "tokens_spent",
  "usdSpent",
  "tokensSpent",
  // Who tells of a thing later than it happened, tells when it was.
  "resumed",
]);

const isVolatile = (field: string): boolean => volatile.has(field) || /(?:Ms|_ms)$/.test(field);

/** Ids that are hashes of names. */
const hashedIds = /\b(run|task)-[0-9a-z]{24}\b/g;

/** Writes a value down without what is volatile, and with `NAME` where the scenario's own name stands. */
export function plain(thing: unknown, name: string): string {
  const text = JSON.stringify(thing, (field, inner: unknown) => {
    if (isVolatile(field)) return undefined;
    const value = typeof inner === "string" && /^[[{]/.test(inner) ? parsed(inner) : inner;
    return isRecord(value) ? Object.fromEntries(Object.entries(value).toSorted(byName)) : value;
  });
  return (text ?? "nothing").replaceAll(name, "NAME").replaceAll(hashedIds, "$1-ID");
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

/** Lists across runs in which a run may stand: they are read by index, and a key too few is a write that nobody finds. */
export type RunList = "dispatch" | "unresolved" | "recover" | "pending" | "timers";

const most = 1000;
const farFuture = 4e12;

const readList: Readonly<
  Record<RunList, (tape: Tape, name: string) => Promise<readonly { readonly runId: string }[]>>
> = {
  dispatch: async (tape, name) => (await tape.listEffectsToDispatch({ connector: name, limit: most })).effects,
  unresolved: async (tape) => (await tape.listUnresolvedObligations({ limit: most })).obligations,
  recover: async (tape) => (await tape.listRunsToRecover({ limit: most })).runs,
  pending: async (tape) => (await tape.listPendingEffects({ limit: most })).effects,
  timers: async (tape) => (await tape.listDueTimers({ nowMs: farFuture, limit: most })).timers,
};

/** Facts about a run: its journal, what it is, and where it is listed. */
export async function factsOfRun(
  tape: Tape,
  runId: string,
  name: string,
  lists: readonly RunList[] = [],
): Promise<Facts> {
  const facts: string[] = [];
  let records: readonly JournalRecord[];
  try {
    ({ records } = await tape.inspect.readJournal({ runId, pageSize: most, includeBodies: true }));
  } catch (error) {
    if (error instanceof TapeError && error.reason === "RUN_NOT_FOUND") return ["state: no run"];
    throw error;
  }
  // At once: of a busy emulator each answer takes its time.
  const [detail, ...listed] = await Promise.all([
    tape.inspect.getRunDetail({ runId, pageSize: most }),
    ...lists.map((list) => readList[list](tape, name)),
  ]);
  for (const { entry, bodies } of records) {
    facts.push(`entry: ${plain({ subject: entry.subject, payload: entry.payloadJson, bodies }, name)}`);
  }
  const { run, leaseEpoch, endDetailJson, budget, effects, obligations, gates, timers } = detail;
  facts.push(`state: ${plain({ run, leaseEpoch, endDetailJson }, name)}`);
  facts.push(`state: spent ${budget.usdSpent} USD, ${budget.tokensSpent} tokens; ${plain(budget, name)}`);
  for (const effect of effects) facts.push(`state: effect ${plain(effect, name)}`);
  for (const obligation of obligations) facts.push(`state: obligation ${plain(obligation, name)}`);
  for (const gate of gates) facts.push(`state: gate ${plain(gate, name)}`);
  for (const timer of timers) facts.push(`state: timer ${plain(timer, name)}`);
  const { runs } = await tape.inspect.listRuns({ appName: name, statuses: [run.status], pageSize: most });
  facts.push(`state: listed ${timesIn(runs, runId)} times`);
  for (const [i, list] of lists.entries()) {
    facts.push(`state: in ${list} ${timesIn(listed[i] ?? [], runId)} times`);
  }
  return facts;
}

const timesIn = (listed: readonly { readonly runId: string }[], runId: string): number =>
  listed.filter((item) => item.runId === runId).length;

/** Facts about a session. */
export async function factsOfSession(tape: Tape, name: string): Promise<Facts> {
  const key = { appName: name, userId: "user", sessionId: name };
  const { session } = await tape.getSession(key);
  const { sessions } = await tape.listSessions(key);
  const listed = sessions.filter(({ sessionId }) => sessionId === name).length;
  const facts = [`state: session listed ${listed} times`];
  if (session === undefined) return [...facts, "state: no session"];
  const { events, ...rest } = session;
  return [
    ...facts,
    `state: session ${plain(rest, name)}`,
    ...events.map((event) => `entry: event ${plain(event, name)}`),
  ];
}

/** Facts about a value, whose first version is part of the scenario: every later one is an entry. */
export async function factsOfValue(tape: Tape, name: string): Promise<Facts> {
  const key = { namespace: name, key: "key" };
  const facts: string[] = [];
  let left = (await versionOf(tape, key)) - 1;
  if (left <= 0) return facts;
  for await (const { value } of tape.watchValue({ ...key, fromVersion: 1 })) {
    facts.push(`entry: value ${plain(value, name)}`);
    left -= 1;
    if (left === 0) break;
  }
  return facts;
}

/** The version, also of a value that is deleted: a write that can only be refused tells it. */
async function versionOf(tape: Tape, key: { readonly namespace: string; readonly key: string }): Promise<number> {
  try {
    await tape.writeValue({ ...key, valueJson: "0", ifVersion: 1_000_000 });
  } catch (error) {
    if (error instanceof TapeError && error.reason === "VERSION_MISMATCH") return Number(error.ids["current_version"]);
    throw error;
  }
  throw new TypeError("a write on version 1,000,000 was taken");
}

/** Facts about a reaction and its tasks. */
export async function factsOfReaction(tape: Tape, name: string): Promise<Facts> {
  const { reactions } = await tape.listReactions({ subjectPattern: patternOf(name) });
  const { tasks } = await tape.listTasks({ reactionId: name, limit: most });
  return [
    `state: ${reactions.length} reactions`,
    ...reactions.map((reaction) => `state: reaction ${plain(reaction, name)}`),
    ...tasks.map((task) => `entry: task ${plain(task, name)}`),
  ];
}

/** What only the scenario of this name writes. */
export const patternOf = (name: string): string => `/tape/value/changed/${name}/**`;
