import { runTarget } from "../engine/business-keys.ts";
import { reactionTarget } from "../engine/reactions.ts";
import { plainCall } from "../engine/row-slot.ts";
import { Tasks } from "../engine/tasks.ts";
import type { Partition } from "../codec/row-id.ts";
import { timeOfKey } from "../codec/time-key.ts";
import { TapeError } from "../errors.ts";
import type { Registered } from "../journal/reaction/reaction.ts";
import { readReaction } from "../journal/reaction/register.ts";
import { startedRun, startRun } from "../journal/run/start.ts";
import { dueIndexPath } from "../journal/task/task.ts";
import type { Task } from "../model/reaction.ts";
import type { RowId } from "../model/row.ts";
import type { ReactorPorts } from "./reactor-ports.ts";

/** Tasks claimed at a time, and for how long: a server that dies with them leaves them to others after that. */
const atOnce = 64;
const claimForMs = 10_000;
/** How often to look for tasks that other servers made or left. */
const lookEveryMs = 5000;
/** Pause while the reaction's limits let nothing be handed out; without limits it grows, as long as nothing can be had. */
const limitedMs = 250;

/**
 * Starts the runs that the tasks of an AGENT reaction stand for (R70), under the same claims and limits as any worker: the
 * run is made RUNNABLE, where agents find it by ListRunsToRecover, and the task is DONE. The run's identity follows from
 * the task, so that a task whose server died in between starts no second one.
 */
export class RunStarter {
  readonly #ports: ReactorPorts;
  readonly #partition: Partition;
  readonly #row: RowId;
  readonly #tasks: Tasks;
  #poke = new AbortController();
  /** How often in a row something was due and could not be had. */
  #vain = 0;

  constructor(ports: ReactorPorts, partition: Partition, row: RowId) {
    this.#ports = ports;
    this.#partition = partition;
    this.#row = row;
    this.#tasks = new Tasks(ports, partition);
  }

  /** There may be a task to start. */
  poke(): void {
    this.#poke.abort();
  }

  /** Works until the reactor ends or the reaction is no longer registered. Never rejects. */
  async run(): Promise<void> {
    const { clock, pipeline, stopping, reports } = this.#ports;
    const stop = (): void => {
      this.#poke.abort();
    };
    stopping.addEventListener("abort", stop, { once: true });
    while (!stopping.aborted) {
      this.#poke = new AbortController();
      let pauseMs = lookEveryMs;
      try {
        const target = reactionTarget(this.#partition, this.#row);
        const reaction = await pipeline.execute(target, readReaction, plainCall);
        if (reaction?.definition.handlerKind !== "AGENT") break;
        pauseMs = await this.#startDue(reaction);
      } catch (cause) {
        if (stopping.aborted) break;
        reports.trouble({
          reactionId: this.#row,
          kind: "starting runs",
          message: "tasks could not be taken; it is tried again, nothing is lost",
          cause,
        });
      }
      if (pauseMs > 0) await clock.sleep(pauseMs, this.#poke.signal);
    }
    stopping.removeEventListener("abort", stop);
  }

  /** Gives how long to wait before the next look. */
  async #startDue(reaction: Registered): Promise<number> {
    const { clock, store, owner } = this.#ports;
    const { reactionId, maxConcurrency, rateLimitPerS } = reaction.definition;
    const claim = { reactionId, owner, shard: -1, max: atOnce, leaseMs: claimForMs };
    const tasks = await this.#tasks.claim(claim, plainCall);
    await Promise.all(tasks.map((task) => this.#start(reaction, task)));
    if (tasks.length > 0) {
      this.#vain = 0;
      return 0;
    }
    const { items } = await store.scan(`${this.#partition}/${dueIndexPath(reactionId)}`, { limit: 1 });
    const inMs = items[0] === undefined ? lookEveryMs : timeOfKey(items[0].key) - clock.now();
    if (inMs > limitedMs) return Math.min(lookEveryMs, inMs);
    if (maxConcurrency + rateLimitPerS > 0 && Number.isFinite(inMs)) return limitedMs;
    // Something is due and cannot be had: a leftover key, a task that cannot be read, a key that is damaged.
    this.#vain += 1;
    return Math.min(lookEveryMs, limitedMs * 2 ** this.#vain);
  }

  async #start({ definition, tenantId }: Registered, task: Task): Promise<void> {
    const { pipeline, limits, owner } = this.#ports;
    const { taskId } = task;
    try {
      const facts = startedRun(task, definition.agentApp, tenantId, limits);
      await pipeline.execute(runTarget(this.#partition, facts.runId), startRun(facts), plainCall);
      await this.#tasks.complete({ taskId, owner }, plainCall);
    } catch (cause) {
      const error = cause instanceof TapeError ? cause : undefined;
      // What the store could not do, or somebody else did, is tried again when the claim has expired.
      if (error === undefined || error.retryable || error.reason === "CLAIM_HELD") throw cause;
      await this.#tasks.nack({ taskId, owner, error: error.message }, plainCall);
    }
  }
}
