import { TapeError } from "../../../src/errors.ts";
import type { Life } from "../actors/actor.ts";
import { appOf, sessionOf, userOf } from "../actors/script.ts";
import { scriptOf, type Stage } from "../actors/stage.ts";
import { leaseMs } from "../audit/run-head.ts";
import type { Promises } from "../audit/promises.ts";
import { isOver } from "../audit/run-record.ts";
import type { GetDecisionResponse } from "../../../src/model/decision.ts";
import type { CallSpec } from "../world/network.ts";

/** One round of somebody who asks after runs that are over: what is left of them is still true (R75). */
export async function archivistRound(life: Life, stage: Stage): Promise<void> {
  const { random } = life.world;
  const over = [...stage.begun.values()].filter((runId) => isOver(stage.promises.run(runId).status));
  if (over.length === 0) return;
  const runId = random.pick(over);
  const way = random.pick(["begin", "get", "decisions", "effects", "journal", "theft"] as const);
  const ask = { begin, get, decisions, effects, journal, theft }[way];
  try {
    await ask(life, stage, runId);
  } catch (error) {
    if (!(error instanceof TapeError) || error.reason !== "RUN_NOT_FOUND") throw error;
    const isGone = stage.promises.run(runId).deleted;
    stage.promises.must(
      isGone,
      "removed-stays-taken",
      () => `${way} says that there is no ${runId}, but it was not deleted`,
    );
  }
}

/** Begun again, a run that is over tells how it ended, whatever is left of it. */
async function begin(life: Life, { promises, scripts, begun }: Stage, runId: string): Promise<void> {
  const script = scriptOf({ scripts, begun }, runId);
  if (script === undefined) return;
  const { number } = script;
  const request = {
    appName: appOf,
    userId: userOf,
    sessionId: sessionOf(number),
    invocationId: `run-${number}`,
    leaseOwner: life.name,
    leaseTtlMs: leaseMs,
  };
  await life.call({
    method: "BeginRun",
    about: `run-${number}, which is over`,
    send: (tape, options) => tape.beginRun(request, options),
    check: () => (answer) => {
      const { status } = promises.run(runId);
      promises.must(
        answer.runId === runId && answer.status === status && answer.leaseEpoch === 0 && answer.resumed,
        "removed-stays-taken",
        () => `${runId} is ${status}, BeginRun says ${JSON.stringify(answer)}`,
      );
    },
  });
}

async function get(life: Life, { promises }: Stage, runId: string): Promise<void> {
  await life.call({
    method: "GetRun",
    about: runId,
    send: (tape, options) => tape.getRun({ runId }, options),
    check: () => {
      const { seq } = promises.run(runId);
      return (answer) => {
        const { status } = promises.run(runId);
        promises.must(
          answer.status === status && answer.seqCursor >= seq,
          "removed-stays-taken",
          () => `${runId} is ${status} at ${seq}, GetRun says ${answer.status} at ${answer.seqCursor}`,
        );
      };
    },
  });
}

/** Every decision is found, with its payload or, once that is removed, without. */
async function decisions(life: Life, { promises }: Stage, runId: string): Promise<void> {
  for (const index of promises.run(runId).decisions.keys()) await life.call(decisionOf(promises, runId, index));
}

/** GetDecision, of one that is recorded. */
export const decisionOf = (
  promises: Promises,
  runId: string,
  decisionIndex: number,
): CallSpec<GetDecisionResponse> => ({
  method: "GetDecision",
  about: `${decisionIndex} of ${runId}`,
  send: (tape, options) => tape.getDecision({ runId, decisionIndex }, options),
  check: () => {
    const wasGone = promises.run(runId).compactedSeq > 0;
    return ({ found, decision }) => {
      const { compactedSeq, decisions: recorded } = promises.run(runId);
      const text = recorded.get(decisionIndex);
      const told = decision?.responseJson;
      promises.must(
        found && decision?.model === "m" && ((told === text && !wasGone) || (told === "" && compactedSeq > 0)),
        "removed-stays-taken",
        () => `decision ${decisionIndex} of ${runId} is ${text ?? ""}, GetDecision says ${JSON.stringify(decision)}`,
      );
    };
  },
});

/** Every effect has the outcome that it had. */
async function effects(life: Life, stage: Stage, runId: string): Promise<void> {
  for (const key of stage.promises.run(runId).effects.keys()) {
    const { effect } = await life.call(stage.calls.getEffect(runId, key));
    stage.promises.must(
      effect !== undefined || stage.promises.run(runId).deleted,
      "removed-stays-taken",
      () => `effect ${key} of ${runId} is not found`,
    );
  }
}

/** The journal is whole, with bodies or without. */
async function journal(life: Life, { promises }: Stage, runId: string): Promise<void> {
  await life.call({
    method: "ReadJournal",
    about: runId,
    send: (tape, options) => tape.inspect.readJournal({ runId, includeBodies: true, pageSize: 1000 }, options),
    check: () => {
      const { seq, compactedSeq } = promises.run(runId);
      return ({ records }) => {
        promises.must(
          records.length >= seq && records.every(({ entry }, i) => entry.seq === i + 1),
          "removed-stays-taken",
          () => `${runId} has ${seq} entries, ReadJournal gives ${records.length}`,
        );
        const kept = records.find(({ entry, bodies }) => entry.seq <= compactedSeq && Object.keys(bodies).length > 0);
        promises.must(
          kept === undefined,
          "removed-stays-taken",
          () =>
            `${runId} is compacted, but entry ${kept?.entry.seq ?? 0} has ${Object.keys(kept?.bodies ?? {}).join(", ")}`,
        );
      };
    },
  });
}

/** Another run cannot have the business key of one that is over, or deleted (R22). */
async function theft(life: Life, stage: Stage, runId: string): Promise<void> {
  const { promises, calls, world } = stage;
  const [owned] = promises.run(runId).ownedKeys;
  if (owned === undefined || world.calm) return;
  const [connector = "", businessKey = ""] = JSON.parse(owned) as readonly string[];
  const thief = { appName: "thief", invocationId: life.requestId(), leaseOwner: life.name, leaseTtlMs: leaseMs };
  const begun = await life.call({
    method: "BeginRun",
    about: `to take ${businessKey} from ${runId}`,
    send: (tape, options) => tape.beginRun(thief, options),
  });
  const request = { toolName: connector, customKey: "theft", dispatchMode: "OUTBOX", connector, businessKey } as const;
  try {
    await life.call(calls.beginEffect({ runId: begun.runId, ...request }, { leaseEpoch: begun.leaseEpoch }));
  } catch (error) {
    if (!(error instanceof TapeError) || error.reason !== "BUSINESS_KEY_USED") throw error;
  }
  await life.call(calls.end(begun.runId, "CANCELLED", { leaseEpoch: begun.leaseEpoch, requestId: life.requestId() }));
}
