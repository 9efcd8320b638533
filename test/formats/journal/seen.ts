import { partitionOf } from "../../../src/codec/row-id.ts";
import { choreRules } from "../../../src/journal/chore/chore.ts";
import { assertBusinessKey, businessKeyRules } from "../../../src/journal/claim/business-key.ts";
import { flowRules } from "../../../src/journal/reaction/flow.ts";
import { reactionRules } from "../../../src/journal/reaction/reaction.ts";
import { shardRules } from "../../../src/journal/reaction/shard.ts";
import type { PastEntry, RowRules } from "../../../src/journal/row.ts";
import { runRules } from "../../../src/journal/run/rules.ts";
import type { Run } from "../../../src/journal/run/run.ts";
import {
  budgetView,
  decisionView,
  effectView,
  obligationView,
  runView,
  timerView,
} from "../../../src/journal/run/views.ts";
import { sessionRules } from "../../../src/journal/session/session.ts";
import { sharedStateRules } from "../../../src/journal/session/shared-state.ts";
import { taskRules } from "../../../src/journal/task/task.ts";
import { valueRules } from "../../../src/journal/value/value.ts";
import { plain, startMs } from "../../journal/row-driver.ts";

/** A stored row: its head as JSON text, and its entries. */
export interface StoredText {
  readonly head: string;
  readonly entries: readonly PastEntry[];
}

/** A kind of row, opened: the head that this version would write, and all that can be seen of it, one thing a line. */
export type Open = (head: Uint8Array, entries: readonly PastEntry[]) => { head: string; seen: readonly string[] };

const partition = partitionOf("");
const line = (what: string, thing: unknown): string => `${what} ${JSON.stringify(sorted(plain(thing)))}`;

/** Fields by name: their order in memory is nobody's business. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, item]) => [name, sorted(item)] as const);
  return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const opening =
  <S extends { seq: number }>(rules: RowRules<S, never>, see: (state: S) => readonly string[]): Open =>
  (head, entries) => {
    const state = rules.absent();
    rules.restore(state, head, entries, "row");
    const keys = rules.indexKeys(state, partition).map(({ index, key }) => `key ${index} ${key}`);
    return { head: rules.head(state), seen: [`seq ${state.seq}`, ...see(state), ...keys] };
  };

/** The texts of bodies are not part of a fixture. */
const none = (): null => null;

function seeRun(run: Run): readonly string[] {
  const { runId } = run.facts;
  const now = startMs;
  return [
    line("run", runView(run)),
    line("fencing", {
      epoch: run.epoch,
      draining: run.draining,
      runnableAtMs: run.runnableAtMs,
      requests: run.requests,
    }),
    line("budget", budgetView(run)),
    ...Array.from(run.decisions.values(), (decision) => line("decision", decisionView(runId, decision, none))),
    ...Array.from(run.effects.values(), (effect) =>
      line("effect", {
        ...effectView(run, effect, now)(none),
        resolution: effect.resolution,
        answers: effect.answerSeqs,
      }),
    ),
    line("open effects", run.openEffects),
    ...Array.from(run.obligations.values(), (obligation) =>
      line("obligation", { ...obligationView(run, obligation, now)(none), dueAtOnce: obligation.dueAtOnce }),
    ),
    ...Array.from(run.gates, ([gate, { awaited, answers }]) => line("gate", { gate, awaited, answers })),
    line("waiting", run.waiting),
    ...Array.from(run.timers.values(), (timer) =>
      line("timer", { ...timerView(runId, timer, none), state: timer.state }),
    ),
    ...Array.from(run.denials, (denial) => line("denial", denial)),
    ...Array.from(run.businessKeys, ([key, effect]) => line("business key", [key, effect])),
    // Since format 2.
    ...(run.payloadBytes === 0 ? [] : [line("payload bytes", run.payloadBytes)]),
    ...(run.compactedSeq === 0 ? [] : [line("compacted", run.compactedSeq)]),
    ...(run.deletedAtMs === 0 ? [] : [line("deleted", [run.deletedAtMs, [...run.ownedKeys]])]),
  ];
}

/** How to open each kind of row. */
export const openers: Readonly<Record<string, Open>> = {
  run: opening(runRules as RowRules<Run, never>, seeRun),
  session: opening(sessionRules, (session) => [
    line("session", [session.exists, session.appName, session.userId, session.sessionId]),
    line("times", [session.createdAtMs, session.updatedAtMs]),
    ...Array.from(session.state, ([key, raw]) => `state ${key} ${raw}`),
    ...Array.from(session.events.values(), (event) => line("event", event)),
    line("requests", session.requests),
  ]),
  value: opening(valueRules, (value) => [line("value", value)]),
  "shared-state": opening(sharedStateRules, (shared) => [
    ...Array.from(shared.state, ([key, raw]) => `state ${key} ${raw}`),
    line("applied", shared.applied),
  ]),
  reaction: opening(reactionRules, ({ registered, requests }) => [
    line("registered", registered),
    line("requests", requests),
  ]),
  "reaction-shard": opening(shardRules, (shard) => [line("shard", shard)]),
  chore: opening(choreRules, (chore) => [line("chore", chore)]),
  "reaction-flow": opening(flowRules, ({ claims, handedOut }) => [
    line("claims", [...claims]),
    line("handed out", handedOut),
  ]),
  task: opening(taskRules, ({ facts, progress, requests, deletedAtMs }) => [
    // Since format 2.
    ...(deletedAtMs === 0 ? [] : [line("deleted", deletedAtMs)]),
    line("facts", facts),
    line("progress", progress),
    line("requests", requests),
  ]),
  "business-key": opening(businessKeyRules, (key) => {
    const context = undefined as never;
    const wanted = { connector: key.connector, businessKey: key.businessKey, runId: "another run" };
    return [line("owner", assertBusinessKey(wanted, null)(key, context)), line("of", [key.connector, key.businessKey])];
  }),
};
