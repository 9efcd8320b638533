import { Engine } from "../../src/engine/engine.ts";
import { partitionOf, reactionRow, runRow, sessionRow, valueRow } from "../../src/codec/row-id.ts";
import { localAccess } from "../../src/model/access.ts";
import type { RowId } from "../../src/model/row.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { Store } from "../../src/store/store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

/** A question, and the row whose damage it may speak of; lists have none. */
interface Probe {
  readonly name: string;
  readonly row: RowId | null;
  readonly ask: (tape: Tape) => Promise<unknown>;
}

/** A journal with something of everything, and what it answers as long as nothing is damaged. */
export interface Sample {
  readonly store: Store;
  readonly clock: FakeClock;
  /** Rows, each with a text that stands in everything that is said of it. */
  readonly marks: Readonly<Record<RowId, string>>;
  readonly probes: readonly Probe[];
  readonly answers: ReadonlyMap<string, unknown>;
}

const runs = ["one", "two", "three"] as const;
const payload = JSON.stringify({ text: "x".repeat(40), n: 7 });

async function writeRun(tape: Tape, name: string): Promise<string> {
  const { runId } = await tape.beginRun({
    appName: "app",
    userId: "user",
    sessionId: "session",
    invocationId: name,
    leaseOwner: "agent",
    leaseTtlMs: 1000,
    scopes: ["pay"],
  });
  await tape.recordDecision({ runId, decisionIndex: 0, model: "m", requestJson: payload, responseJson: payload });
  const { idempotencyKey } = await tape.beginEffect({
    runId,
    decisionIndex: 0,
    toolName: "look",
    requestJson: payload,
  });
  await tape.completeEffect({ runId, idempotencyKey, status: "UNKNOWN", errorJson: payload });
  await tape.beginEffect({
    runId,
    decisionIndex: 0,
    toolName: "pay",
    scope: "pay",
    semantics: "NON_IDEMPOTENT",
    dispatchMode: "OUTBOX",
    connector: "bank",
    requestJson: payload,
  });
  const done = await tape.beginEffect({ runId, decisionIndex: 1, toolName: "book", requestJson: payload });
  await tape.completeEffect({ runId, idempotencyKey: done.idempotencyKey, status: "CONFIRMED", responseJson: payload });
  await tape.registerCompensation({ runId, effectKey: done.idempotencyKey, kind: "unbook", payloadJson: payload });
  await tape.setTimer({ runId, timerId: "t", fireAtMs: 1, kind: "remind", payloadJson: payload });
  await tape.chargeBudget({ runId, usd: 0.5, tokens: 3 });
  return runId;
}

/** Everything of a stream that has an end, or of the first items of one that has none. */
async function first<T>(items: AsyncIterable<T>, count: number): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) {
    found.push(item);
    if (found.length === count) break;
  }
  return found;
}

/** Writes the sample to an empty store. */
export async function sampleJournal(store: Store): Promise<Sample> {
  const clock = new FakeClock();
  await store.migrate({ dryRun: false });
  const engine = new Engine({ store, clock, reactors: false });
  const tape = engine.tape(localAccess);
  const partition = partitionOf("");
  const runIds: string[] = [];
  for (const name of runs) runIds.push(await writeRun(tape, name));
  for (const sessionId of ["session-one", "session-two"]) {
    const key = { appName: "app", userId: "user", sessionId };
    await tape.createSession({ ...key, stateJson: `{"n":1}` });
    for (const id of ["e1", "e2", "e3", "e4"]) {
      await tape.appendEvent({
        ...key,
        event: { id: `${sessionId}-${id}`, author: "a", contentJson: payload },
        stateDeltaJson: `{"n":2}`,
      });
    }
  }
  for (const key of ["key-one", "key-two"]) {
    for (let i = 0; i < 5; i += 1) await tape.writeValue({ namespace: "ns", key, valueJson: payload, writer: `w${i}` });
  }
  for (const reactionId of ["reaction-one", "reaction-two"]) {
    await tape.registerReaction({ reactionId, name: reactionId, subjectPattern: "/tape/run/**", handlerKind: "TASK" });
  }
  // Leases run out, so that everything is due.
  await clock.advance(3_600_000);
  const marks: Record<RowId, string> = {};
  const probes: Probe[] = [];
  const of = (row: RowId, mark: string, asks: Record<string, (tape: Tape) => Promise<unknown>>): void => {
    marks[row] = mark;
    for (const [name, ask] of Object.entries(asks)) probes.push({ name: `${name} ${mark}`, row, ask });
  };
  for (const runId of runIds) {
    of(runRow(partition, runId), runId, {
      getRun: (asked) => asked.getRun({ runId }),
      getDecision: (asked) => asked.getDecision({ runId, decisionIndex: 0 }),
      getEffect: (asked) => asked.getEffect({ runId, idempotencyKey: `${runId}/decision-0/look/0` }),
      listObligations: (asked) => asked.listObligations({ runId }),
      runDetail: (asked) => asked.inspect.getRunDetail({ runId }),
    });
  }
  for (const sessionId of ["session-one", "session-two"]) {
    of(sessionRow(partition, "app", "user", sessionId), `"${sessionId}`, {
      getSession: (asked) => asked.getSession({ appName: "app", userId: "user", sessionId }),
    });
  }
  for (const key of ["key-one", "key-two"]) {
    of(valueRow(partition, "ns", key), key, {
      getValue: (asked) => asked.getValue({ namespace: "ns", key }),
      watchValue: (asked) => first(asked.watchValue({ namespace: "ns", key, fromVersion: 1 }), 4),
    });
  }
  for (const reactionId of ["reaction-one", "reaction-two"]) {
    of(reactionRow(partition, reactionId), reactionId, {
      claimTasks: (asked) => asked.claimTasks({ reactionId, owner: "w", shard: -1 }),
    });
  }
  const lists: Record<string, (tape: Tape) => Promise<unknown>> = {
    listRunsToRecover: (asked) => asked.listRunsToRecover({}),
    listEffectsToDispatch: (asked) => asked.listEffectsToDispatch({}),
    listPendingEffects: (asked) => asked.listPendingEffects({ includePending: true, includeUnknown: true }),
    listUnresolved: (asked) =>
      asked.listUnresolvedObligations({ includePending: true, includeStuck: true, includeCommittedExpired: true }),
    listDueTimers: (asked) => asked.listDueTimers({}),
    listSessions: async (asked) => asked.listSessions({ appName: "app", userId: "user" }),
    listReactions: (asked) => asked.listReactions({}),
    listTasks: (asked) => asked.listTasks({}),
    listRuns: async (asked) => (await asked.inspect.listRuns({})).runs,
    listAttention: async (asked) => (await asked.inspect.listAttention({})).items,
    feed: (asked) => first(asked.subscribeEvents({}), 40),
  };
  for (const [name, ask] of Object.entries(lists)) probes.push({ name, row: null, ask });
  const answers = new Map<string, unknown>();
  for (const { name, ask } of probes) answers.set(name, JSON.parse(JSON.stringify(await ask(tape))));
  await engine.close();
  return { store, clock, marks, probes, answers };
}
