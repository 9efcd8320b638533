import { TapeError } from "../../../src/errors.ts";
import type { Life } from "../actors/actor.ts";
import type { Stage } from "../actors/stage.ts";
import { isOver } from "../audit/run-record.ts";
import { decisionOf } from "./archivist.ts";

/** Reads that are under way together. */
const volley = 5;
/** So often it reads all again: whoever reads slowly is at it when the run goes. */
const volleys = 3;
/** It works on the runs that go next. */
const next = 2;

/**
 * One round of somebody who copies what there is of a run that is over before it goes, many reads at a time: some of them
 * come while the run is being compacted or deleted (R75).
 */
export async function exporterRound(
  life: Life,
  { promises, calls, begun, world }: Stage,
  opened: ReadonlySet<string>,
): Promise<void> {
  const { random } = world;
  const left = [...begun.values(), ...opened].filter((runId) => {
    const { deleted, status } = promises.run(runId);
    return !deleted && isOver(status);
  });
  if (left.length === 0) return;
  const runId = random.pick(left.slice(0, next));
  const { decisions, effects } = promises.run(runId);
  const reads = [
    ...Array.from(decisions.keys(), (index) => () => life.call(decisionOf(promises, runId, index))),
    ...Array.from(effects.keys(), (key) => () => life.call(calls.getEffect(runId, key))),
  ];
  if (reads.length === 0) return;
  for (let i = 0; i < volleys && !promises.run(runId).deleted; i += 1) {
    await Promise.all(Array.from({ length: volley }, () => unlessGone(random.pick(reads))));
  }
}

async function unlessGone(read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof TapeError) || error.reason !== "RUN_NOT_FOUND") throw error;
  }
}
