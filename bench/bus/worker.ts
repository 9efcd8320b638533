import { setTimeout as sleep } from "node:timers/promises";
import { TapeError, type Task } from "../../src/client/index.ts";
import type { Caller } from "../soak/caller.ts";
import type { Tally } from "../soak/tally.ts";

/** What the workers saw and did, by task. */
export interface Seen {
  /** Reaction and position of the entry to the tasks that came of it. */
  readonly tasks: Map<string, Set<string>>;
  /** Task to those whose completion was acknowledged. */
  readonly completed: Map<string, Set<string>>;
}

/** A worker, and what it works on. */
export interface Worker {
  readonly caller: Caller;
  readonly tally: Tally;
  readonly seen: Seen;
  readonly reactionId: string;
  /** Everything that is due has been done: whatever still comes should not be there. */
  readonly isOver: () => boolean;
}

const leaseMs = 3000;
const atOnce = 20;

/** How an entry and its reaction are named in {@link Seen}. */
export const placeOf = (reactionId: string, globalSeq: number): string => `${reactionId} ${globalSeq}`;

/** Claims and completes tasks until none is left; now and then it dies with what it has, and comes back as another. */
export async function work(worker: Worker): Promise<void> {
  const { caller, tally, reactionId, isOver } = worker;
  let lives = 1;
  let idleSince = performance.now();
  while (!isOver() || performance.now() - idleSince < 3 * leaseMs) {
    const owner = `${caller.name}.${lives}`;
    const requestId = caller.newRequestId();
    const { tasks } = await caller.call((tape) =>
      tape.claimTasks({ reactionId, owner, shard: -1, max: atOnce, leaseMs }, { requestId }),
    );
    if (tasks.length === 0) {
      await sleep(20 + caller.random.int(60));
      continue;
    }
    idleSince = performance.now();
    lives += caller.random.chance(0.03) ? 1 : 0;
    const isDying = owner !== `${caller.name}.${lives}`;
    if (isDying) tally.count("workers died");
    const kept = isDying ? tasks.slice(0, caller.random.int(tasks.length)) : tasks;
    for (const task of tasks) note(worker, task);
    await Promise.all(kept.map((task) => end(worker, owner, task)));
  }
}

function note({ seen }: Worker, { reactionId, sourceGlobalSeq, taskId }: Task): void {
  const place = placeOf(reactionId, sourceGlobalSeq);
  const ids = seen.tasks.get(place) ?? new Set();
  seen.tasks.set(place, ids.add(taskId));
}

async function end({ caller, tally, seen }: Worker, owner: string, { taskId }: Task): Promise<void> {
  const requestId = caller.newRequestId();
  try {
    if (caller.random.chance(0.01)) {
      await caller.call((tape) => tape.nackTask({ taskId, owner, error: "no luck" }, { requestId }));
      tally.count("tasks nacked");
      return;
    }
    await caller.call((tape) => tape.completeTask({ taskId, owner }, { requestId }));
    const by = seen.completed.get(taskId) ?? new Set();
    seen.completed.set(taskId, by.add(owner));
  } catch (error) {
    // Its claim had expired, and the task is or was another's.
    if (!(error instanceof TapeError)) throw error;
    if (error.reason !== "CLAIM_HELD" && error.reason !== "TRANSITION_NOT_ALLOWED") throw error;
    tally.count("completions refused");
  }
}
