import { encodeHead } from "../../../src/codec/head.ts";
import { choreRow } from "../../../src/codec/row-id.ts";
import { Engine } from "../../../src/engine/engine.ts";
import type { IdSource } from "../../../src/engine/id-source.ts";
import { choreRules } from "../../../src/journal/chore/chore.ts";
import { localAccess } from "../../../src/model/access.ts";
import type { IndexKey, RowId } from "../../../src/model/row.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { reactor } from "../../../src/reactor/reactor.ts";
import type { Append, AppendOutcome, CallContext, FeedEntry, Store } from "../../../src/store/store.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { ForwardingStore } from "../../../src/testing/forwarding-store.ts";
import { seededRandom } from "../../../src/testing/random.ts";

/** A journal in which much is due that a server does by itself. */
export interface Journal {
  readonly store: Store;
  readonly clock: FakeClock;
  /** Runs that go on, by name. */
  readonly runIds: readonly string[];
  /** All its rows, in the order of their first writing. */
  readonly rows: readonly RowId[];
  /** Index keys that were written, of which some may have been taken away since. */
  readonly keys: readonly (IndexKey & { readonly row: RowId })[];
  /** The whole feed. */
  readonly feed: readonly FeedEntry[];
}

/** Values, and sessions, by name. */
export const valueKeys = ["key-one", "key-two"] as const;
export const sessionIds = ["session-one", "session-two"] as const;
/** Reactions that make tasks, of which the last one does not exist yet in the journal. */
export const reactionIds = ["values", "decisions", "bursts", "limited", "late"] as const;
/** The app of runs that a reaction starts. */
export const startedApp = "started";

const payload = JSON.stringify({ text: "x".repeat(40), n: 7 });

/** Ids that are the same in every trial. */
export function seededIds(seed: number): IdSource {
  const random = seededRandom(seed);
  return { commitId: () => random.hex(16), id: () => random.hex(32), spanId: () => random.hex(16) };
}

/** Remembers what is written. */
class Recorder extends ForwardingStore {
  readonly rows = new Set<RowId>();
  readonly keys: (IndexKey & { readonly row: RowId })[] = [];

  protected override appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    for (const { row, index } of batch) {
      this.rows.add(row);
      this.keys.push(...index.add.map((key) => ({ ...key, row })));
    }
    return super.appendUntracked(batch, options);
  }
}

/** Writes the journal to an empty store, a part of it by a server that matches. */
export async function backgroundJournal(inner: Store, clock: FakeClock = new FakeClock()): Promise<Journal> {
  const store = new Recorder(inner);
  await store.migrate({ dryRun: false });
  const engine = new Engine({ store, clock, ids: seededIds(1), reactor: reactor() });
  engine.start();
  const tape = engine.tape(localAccess);
  await registerReactions(tape);
  const runIds: string[] = [];
  for (const name of ["one", "two", "three"]) runIds.push(await writeRun(tape, name, clock.now()));
  for (const name of ["old-one", "old-two"]) await writeEndedRun(tape, name);
  for (const sessionId of sessionIds) {
    await tape.createSession({ ...session(sessionId), stateJson: `{"n":1}` });
    for (const id of ["e1", "e2", "e3"]) await writeEvent(tape, sessionId, id);
  }
  for (let i = 1; i <= 3; i += 1) await writeValues(tape, i);
  await clock.advance(10_000);
  // Some tasks are done, and the claims of some will expire.
  const claimed = await tape.claimTasks({ reactionId: "values", shard: -1, owner: "w", max: 4, leaseMs: 60_000 });
  for (const { taskId } of claimed.tasks.slice(0, 2)) await tape.completeTask({ taskId, owner: "w" });
  await tape.claimTasks({ reactionId: "limited", shard: -1, owner: "w", leaseMs: 20_000 });
  await clock.advance(1000);
  await engine.close();
  await writeChores(store);
  const { entries } = await inner.tail({ after: 0, limit: 4000 });
  return { store: inner, clock, runIds, rows: [...store.rows], keys: store.keys, feed: entries };
}

/** Rows that servers make when they first do something, so that these are found as they are. */
async function writeChores(store: Store): Promise<void> {
  const head = encodeHead(choreRules.head(choreRules.absent()));
  await store.append(
    ["retention", "index-1", "sweep"].map((chore) => ({
      row: choreRow(chore),
      expect: 0,
      commitId: `chore-${chore}`,
      head,
      entries: [],
      index: { add: [], remove: [] },
    })),
  );
}

async function registerReactions(tape: Tape): Promise<void> {
  const task = { handlerKind: "TASK", dlqAfterN: 3 } as const;
  await tape.registerReaction({ ...task, reactionId: "values", subjectPattern: "/tape/value/**", numShards: 2 });
  await tape.registerReaction({
    ...task,
    reactionId: "decisions",
    subjectPattern: "/tape/decision/**",
    predicateCel: "payload.decision_index >= 0",
  });
  await tape.registerReaction({ ...task, reactionId: "bursts", subjectPattern: "/tape/event/**", debounceMs: 500 });
  await tape.registerReaction({
    ...task,
    reactionId: "limited",
    subjectPattern: "/tape/decision/**",
    maxConcurrency: 1,
  });
  await tape.registerReaction({
    reactionId: "starts",
    subjectPattern: "/tape/decision/**",
    predicateCel: "payload.decision_index == 0",
    handlerKind: "AGENT",
    agentApp: startedApp,
  });
}

/** The last reaction: it begins with the first entry, so that all of the feed is matched once more. */
export async function registerLate(tape: Tape): Promise<void> {
  await tape.registerReaction({ reactionId: "late", subjectPattern: "/tape/**", handlerKind: "TASK" });
}

async function writeRun(tape: Tape, name: string, now: number): Promise<string> {
  const { runId } = await tape.beginRun({
    appName: "app",
    sessionId: "session",
    invocationId: name,
    leaseOwner: "agent",
    leaseTtlMs: 30_000,
    scopes: ["pay"],
  });
  await writeDecision(tape, runId, 0);
  const { idempotencyKey } = await tape.beginEffect({
    runId,
    decisionIndex: 0,
    toolName: "pay",
    scope: "pay",
    semantics: "NON_IDEMPOTENT",
    dispatchMode: "OUTBOX",
    connector: "bank",
    requestJson: payload,
  });
  await tape.claimEffectDispatch({ runId, idempotencyKey, claimer: "d", leaseTtlMs: 20_000 });
  await tape.registerCompensation({ runId, effectKey: idempotencyKey, kind: "unpay", payloadJson: payload });
  await tape.setTimer({
    runId,
    timerId: "late",
    fireAtMs: now + 60_000,
    kind: "gate_timeout",
    payloadJson: `{"gate":"g","resolution":{}}`,
  });
  await tape.setTimer({ runId, timerId: "again", fireAtMs: now + 100_000, kind: "redrive" });
  await tape.awaitSignal({ runId, gateName: "g", payloadJson: payload });
  return runId;
}

async function writeEndedRun(tape: Tape, name: string): Promise<void> {
  const { runId } = await tape.beginRun({ appName: "app", invocationId: name, leaseOwner: "agent" });
  await writeDecision(tape, runId, 0);
  await tape.endRun({ runId, status: "TERMINAL", detailJson: payload });
}

const session = (sessionId: string) => ({ appName: "app", userId: "user", sessionId });

/** Writes to every kind of row. */
export const writeDecision = (tape: Tape, runId: string, decisionIndex: number): Promise<unknown> =>
  tape.recordDecision({ runId, decisionIndex, model: "m", requestJson: payload, responseJson: payload });

export const writeEvent = (tape: Tape, sessionId: string, id: string): Promise<unknown> =>
  tape.appendEvent({
    ...session(sessionId),
    event: { id: `${sessionId}-${id}`, author: "a", contentJson: payload },
    stateDeltaJson: `{"n":2}`,
  });

export const writeValue = (tape: Tape, key: string, i: number): Promise<unknown> =>
  tape.writeValue({ namespace: "ns", key, valueJson: JSON.stringify({ key, i }), writer: `w${i}` });

const writeValues = (tape: Tape, i: number): Promise<unknown> =>
  Promise.all(valueKeys.map((key) => writeValue(tape, key, i)));
