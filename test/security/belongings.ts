import type { EffectRecord } from "../../src/model/effect.ts";
import type { Tape } from "../../src/model/tape.ts";
import { canary } from "../secrets.ts";
import { eventually, follow } from "../../src/testing/test-tape/stream.ts";

/** What a tenant has, by the names that a call may use for it. */
export interface Belongings {
  /** Of the tenant. */
  readonly tenant: string;
  readonly appName: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly invocationId: string;
  readonly runId: string;
  readonly idempotencyKey: string;
  readonly businessKey: string;
  readonly connector: string;
  readonly gateName: string;
  readonly timerId: string;
  readonly namespace: string;
  readonly key: string;
  readonly eventId: string;
  readonly reactionId: string;
  readonly taskId: string;
  /** Stands in every payload, and nowhere else. */
  readonly mark: string;
}

/** Names of things that never existed, as long as the real ones. */
export function neverExisted(real: Belongings): Belongings {
  const ghost = (Object.entries(real) as [string, string][]).map(([name, text]) => [name, ghostly(text)]);
  return Object.fromEntries(ghost) as Belongings & Record<string, string>;
}

/** The last eight characters are others: prefixes and lengths stay, so that nothing but existence differs. */
function ghostly(text: string): string {
  const end = text.slice(-8).replaceAll(/[0-9a-z]/g, (letter) => (letter === "q" ? "w" : "q"));
  return text.slice(0, -8) + end;
}

/** The clock of a furnished tenant; absent: the machine's. */
interface Moving {
  advance(ms: number): Promise<void>;
}

/**
 * Fills a tenant with one of everything that there is: runs that run, wait, are undone and are over, effects, obligations,
 * gates, timers, values, sessions, reactions and tasks.
 */
export async function furnish(tape: Tape, tenant: string, clock?: Moving): Promise<Belongings> {
  const mark = canary(`payload-${tenant}`);
  const json = JSON.stringify({ mark });
  const names = {
    tenant,
    appName: `app-of-${tenant}`,
    userId: `user-of-${tenant}`,
    sessionId: `session-of-${tenant}`,
    invocationId: `call-of-${tenant}`,
    businessKey: `order-of-${tenant}`,
    connector: `bank-of-${tenant}`,
    gateName: `gate-of-${tenant}`,
    timerId: `timer-of-${tenant}`,
    namespace: `space-of-${tenant}`,
    key: `key-of-${tenant}`,
    eventId: `event-of-${tenant}`,
    reactionId: `reaction-of-${tenant}`,
    mark,
  };
  const { appName, userId, sessionId, namespace, key, gateName, connector } = names;
  const who = { appName, userId, sessionId, leaseOwner: "worker", scopes: ["wire"] };
  await tape.registerReaction({
    reactionId: names.reactionId,
    subjectPattern: "/tape/decision/recorded/**",
    handlerKind: "TASK",
  });
  const { runId } = await tape.beginRun({ ...who, invocationId: names.invocationId });
  await tape.recordDecision({ runId, decisionIndex: 0, model: "m", requestJson: json, responseJson: json });
  const effect = { runId, decisionIndex: 0, requestJson: json, connector, dispatchMode: "OUTBOX" } as const;
  const { idempotencyKey } = await tape.beginEffect({ ...effect, toolName: "wire", businessKey: names.businessKey });
  await tape.setBudget({ runId, usdCap: 5, tokenCap: 50 });
  await tape.setTimer({ runId, timerId: names.timerId, fireAtMs: 1, kind: "wake", payloadJson: json });
  // An effect that may have happened, an obligation that is due, a run that waits, one that is undone, one that is over.
  for (const toolName of ["doubt", "more-doubt"]) {
    const inDoubt = await tape.beginEffect({ ...effect, toolName, semantics: "NON_IDEMPOTENT", scope: "wire" });
    const doubt = { runId, idempotencyKey: inDoubt.idempotencyKey };
    await tape.claimEffectDispatch({ ...doubt, claimer: "worker" });
    await tape.recordDispatchAttempt({ ...doubt, error: mark, nextDispatchAtMs: 0 });
  }
  const twice = await tape.beginEffect({ ...effect, toolName: "twice" });
  await tape.recordExternalObservation({
    runId,
    idempotencyKey: twice.idempotencyKey,
    resolution: "DUPLICATE",
    compensateOnDuplicateKind: "refund",
  });
  const waiting = await tape.beginRun({ ...who, invocationId: `${names.invocationId}-waits` });
  await tape.awaitSignal({ runId: waiting.runId, gateName, payloadJson: json });
  const undone = await tape.beginRun({ ...who, invocationId: `${names.invocationId}-undone` });
  await tape.endRun({ runId: undone.runId, status: "FAILED", detailJson: json });
  await tape.writeValue({ namespace, key, valueJson: json, writer: "worker" });
  await tape.createSession({ appName, userId, sessionId, stateJson: json });
  const event = { id: names.eventId, author: "a", contentJson: json };
  await tape.appendEvent({ appName, userId, sessionId, event, stateDeltaJson: json });
  const taskId = await eventually(
    async () => (await tape.listTasks({ reactionId: names.reactionId })).tasks[0]?.taskId,
    () => clock?.advance(250) ?? Promise.resolve(),
    `${tenant} should have a task`,
  );
  return { ...names, runId, idempotencyKey, taskId };
}

/** Everything that a tenant sees of its own, as text. */
export async function lookAround(tape: Tape, own: Belongings): Promise<string> {
  const { runId, namespace, key, appName, userId, sessionId, reactionId } = own;
  const { seqCursor } = await tape.getRun({ runId });
  const stream = follow((signal) => tape.subscribeRun({ runId }, { signal }));
  const entries = await stream.take(seqCursor);
  await stream.leave();
  const effects: readonly EffectRecord[] = (await tape.inspect.getRunDetail({ runId })).effects;
  const seen = await Promise.all([
    tape.getRun({ runId }),
    tape.inspect.listRuns(),
    tape.inspect.readJournal({ runId, includeBodies: true }),
    tape.listObligations({ runId }),
    tape.getValue({ namespace, key }),
    tape.getSession({ appName, userId, sessionId }),
    tape.listTasks({ reactionId }),
    tape.listReactions(),
  ]);
  return JSON.stringify([entries, effects, seen]);
}
