import { isDeepStrictEqual } from "node:util";
import type { Tape } from "../../src/model/tape.ts";
import type { Auditor } from "./audit/auditor.ts";
import { mustTellEffect, mustTellObligations } from "./audit/told-rules.ts";
import type { Stage } from "./actors/stage.ts";
import { isOver, isSettled } from "./audit/run-record.ts";
import type { FeedReader } from "./actors/feed-reader.ts";
import type { Letter } from "./actors/signaller.ts";
import type { Chat } from "./actors/chatter.ts";
import { writtenKeys, writtenNamespace } from "./actors/writer.ts";

/** What is still to be done before a world is at rest; empty when nothing is. */
export function unfinished(
  stage: Stage,
  auditor: Auditor,
  letters: readonly Letter[],
  readers: readonly FeedReader[],
): string {
  for (const { number } of stage.scripts) {
    const runId = stage.begun.get(number);
    if (runId === undefined) return `run ${number} has not begun`;
    const run = stage.promises.run(runId);
    if (!isOver(run.status)) return `${runId} is ${run.status}`;
    for (const { key, status, mode, semantics } of run.effects.values()) {
      if (!isSettled(status)) return `${key} of ${runId} is ${status} (${mode}, ${semantics})`;
    }
    for (const { seq, status, dueAtOnce } of run.obligations.values()) {
      const isDrained = run.statuses.has("COMPENSATING") && !run.wasGivenUp;
      const isDue = dueAtOnce || status === "STUCK" || isDrained;
      if (isDue && status !== "COMPENSATED" && run.status === "FAILED")
        return `obligation ${seq} of ${runId} is ${status}`;
    }
  }
  const letter = letters.find(({ delivered }) => !delivered);
  if (letter !== undefined) return `a signal to ${letter.gateName} of run ${letter.number} was not taken`;
  const behind = readers.find(({ seen }) => seen < auditor.feed.length);
  return behind === undefined ? "" : `a reader of the feed has seen ${behind.seen} of ${auditor.feed.length} entries`;
}

/** Everything that a server says about a world at rest: question by question. */
export async function tellAll(tape: Tape, stage: Stage, chats: readonly Chat[]): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  for (const runId of stage.begun.values()) {
    if (stage.promises.run(runId).deleted) {
      told.push(await tape.getRun({ runId }).catch((error: unknown) => String(error)));
      continue;
    }
    const run = stage.promises.run(runId);
    // What was sent before everybody stopped may still be written in between.
    const { head } = run;
    const { obligations } = await tape.listObligations({ runId });
    if (run.head === head) mustTellObligations(stage.promises, obligations, runId);
    told.push(await tape.getRun({ runId }), obligations, await tape.admitBudget({ runId }));
    const { effects, decisions } = run;
    for (const idempotencyKey of effects.keys()) {
      const { effect } = await tape.getEffect({ runId, idempotencyKey });
      if (run.head === head) mustTellEffect(stage.promises, effect, runId, idempotencyKey);
      told.push(effect);
    }
    for (const decisionIndex of decisions.keys()) told.push(await tape.getDecision({ runId, decisionIndex }));
  }
  for (const key of writtenKeys) told.push(await tape.getValue({ namespace: writtenNamespace, key }));
  for (const { appName, userId, sessionId } of chats) told.push(await tape.getSession({ appName, userId, sessionId }));
  return told;
}

/** Where two servers say different things; empty: nowhere. */
export function difference(told: readonly unknown[], expected: readonly unknown[]): string {
  const at = expected.findIndex((answer, i) => !isDeepStrictEqual(answer, told[i]));
  return at < 0 ? "" : `${JSON.stringify(told[at])} instead of ${JSON.stringify(expected[at])}`;
}
