import { shortHash } from "../codec/hash.ts";
import { reactionFlowRow, taskRow, type Partition } from "../codec/row-id.ts";
import { timeKey } from "../codec/time-key.ts";
import { TapeError } from "../errors.ts";
import { flowRules, giveBack, handOut } from "../journal/reaction/flow.ts";
import type { Registered } from "../journal/reaction/reaction.ts";
import { claimMs } from "../journal/run/lease.ts";
import { claimTask, completeTask, nackTask, readTask, type ClaimTask, type Settled } from "../journal/task/decide.ts";
import {
  claimIndexPath,
  dueIndexPath,
  listIndexPath,
  listPrefix,
  taskRules,
  type TaskClaim,
  type TaskEvent,
  type TaskRow,
  type WrittenStatus,
} from "../journal/task/task.ts";
import { integer, oneOfOr, optionalId, pageSize, requiredId } from "../journal/validate.ts";
import type {
  ClaimTasksRequest,
  CompleteTaskRequest,
  ListTasksRequest,
  NackTaskRequest,
  Task,
} from "../model/reaction.ts";
import type { RowId } from "../model/row.ts";
import type { ScanItem } from "../store/store.ts";
import type { Limits } from "../journal/limits.ts";
import { DamagedRows } from "./damaged-rows.ts";
import type { EnginePorts } from "./engine-tape.ts";
import { fillPage, shareOfMessage, weightOf } from "./page.ts";
import { Reactions } from "./reactions.ts";
import { plainCall, type Call } from "./row-slot.ts";
import { scanUpTo } from "./scan-up-to.ts";
import type { Target } from "./slot-cache.ts";

const scanPage = 64;
const statuses = ["UNSPECIFIED", "PENDING", "CLAIMED", "DONE", "FAILED", "DLQ"] as const;
const written: readonly WrittenStatus[] = ["PENDING", "CLAIMED", "DONE", "FAILED", "DLQ"];

/** Tasks of one partition (R71). */
export class Tasks {
  readonly #ports: EnginePorts;
  readonly #partition: Partition;
  readonly #reactions: Reactions;

  constructor(ports: EnginePorts, partition: Partition) {
    this.#ports = ports;
    this.#partition = partition;
    this.#reactions = new Reactions(ports, partition);
  }

  /** ClaimTasks: what is due, the longest due first. Errors: REACTION_NOT_FOUND. */
  async claim(request: ClaimTasksRequest, call: Call): Promise<readonly Task[]> {
    const { clock, ids, limits } = this.#ports;
    const reactionId = requiredId("reaction_id", request.reactionId, limits);
    const owner = requiredId("owner", request.owner, limits);
    const shard = integer("shard", request.shard);
    const most = pageSize(request.max, limits, "max");
    const leaseMs = claimMs(request.leaseMs, "lease_ms");
    const asOf = integer("now_ms", request.nowMs);
    const { definition } = await this.#reactions.registered(reactionId);
    if (shard >= definition.numShards) {
      throw new TapeError(
        "ARGUMENT_INVALID",
        `shard ${shard} is none of reaction ${reactionId}, which has ${definition.numShards}; count from 0, negative is any`,
      );
    }
    const now = clock.now();
    const wanted: ClaimTask = {
      owner,
      id: call.requestHash === "" ? ids.id() : shortHash(`${call.requestHash}\n${owner}`),
      expiresAtMs: now + leaseMs,
      untilMs: asOf <= 0 ? now : asOf,
    };
    const recorded = call.requestHash === "" ? [] : await this.#claimedBefore(reactionId, wanted);
    if (recorded.length > 0) return recorded;
    const isAny = shard < 0 || definition.numShards === 1;
    const index = `${this.#partition}/${dueIndexPath(reactionId, isAny ? undefined : shard)}`;
    const tasks: Task[] = [];
    try {
      await this.#takeDue(definition, wanted, index, most, tasks);
    } catch (error) {
      // What was claimed is answered even when the store then failed: it is nobody else's.
      if (tasks.length === 0) throw error;
    }
    return tasks;
  }

  /** What an earlier attempt at the same call has claimed: its answer was lost (R3). */
  async #claimedBefore(reactionId: string, wanted: ClaimTask): Promise<readonly Task[]> {
    const { pipeline, store, limits } = this.#ports;
    const index = `${this.#partition}/${claimIndexPath(reactionId)}`;
    const range = { from: `${wanted.id}/`, to: `${wanted.id}0` };
    const { items } = await scanUpTo(store, index, { ...range, limit: limits.pageSize });
    // None is claimed that this call has not.
    const repeat = { ...wanted, untilMs: -1 };
    const found = await Promise.all(
      items.map(({ row }) => pipeline.execute(this.#target(row), claimTask(repeat), plainCall)),
    );
    return found.filter((task) => task !== null);
  }

  /** Claims what is due, page by page, into `tasks`. */
  async #takeDue(
    definition: Registered["definition"],
    wanted: ClaimTask,
    index: string,
    most: number,
    tasks: Task[],
  ): Promise<void> {
    const { store, limits } = this.#ports;
    const asked = new Set<RowId>();
    let bytes = 0;
    for (let after: ScanItem | undefined; ;) {
      const room = limits.messageBytes * shareOfMessage - bytes;
      const limit = Math.min(scanPage, most - tasks.length, Math.max(1, Math.floor(room / largestTask(limits))));
      const page = await store.scan(index, { to: timeKey(wanted.untilMs + 1), after, limit });
      const fresh = page.items.filter(({ row }) => !asked.has(row) && asked.add(row));
      const { won, isLimited } = await this.#take(definition, fresh, index, wanted);
      tasks.push(...won);
      bytes += won.reduce((sum, task) => sum + weightOf(task), 0);
      // What is claimed has to fit into the answer.
      const isEnough = tasks.length >= most || bytes + largestTask(limits) > limits.messageBytes * shareOfMessage;
      if (page.next === undefined || isLimited || isEnough) return;
      after = page.next;
    }
  }

  /** Claims those of these tasks that are due, as far as the limits of the reaction let it. */
  async #take(
    definition: Registered["definition"],
    items: readonly ScanItem[],
    index: string,
    wanted: ClaimTask,
  ): Promise<{ readonly won: readonly Task[]; readonly isLimited: boolean }> {
    const won: Task[] = [];
    for (let rest = items; rest.length > 0;) {
      const count = await this.#handOut(definition, rest, wanted);
      if (count === 0) return { won, isLimited: true };
      won.push(...(await this.#takeCounted(definition, rest.slice(0, count), index, wanted)));
      rest = rest.slice(count);
    }
    return { won, isLimited: false };
  }

  async #handOut(
    { reactionId, maxConcurrency, rateLimitPerS }: Registered["definition"],
    items: readonly ScanItem[],
    wanted: ClaimTask,
  ): Promise<number> {
    if (maxConcurrency === 0 && rateLimitPerS === 0) return items.length;
    const claims = items.map(({ row }) => slotName(row, wanted));
    const decide = handOut({ claims, expiresAtMs: wanted.expiresAtMs, maxConcurrency, rateLimitPerS });
    return twice(() => this.#ports.pipeline.execute(this.#flow(reactionId), decide, plainCall));
  }

  async #takeCounted(
    { reactionId, maxConcurrency, rateLimitPerS }: Registered["definition"],
    items: readonly ScanItem[],
    index: string,
    wanted: ClaimTask,
  ): Promise<readonly Task[]> {
    const { pipeline, store } = this.#ports;
    const damaged = new DamagedRows();
    const outcomes = await Promise.allSettled(
      items.map(async ({ row, key }) => {
        const target = this.#target(row);
        const claiming = twice(() => pipeline.execute(target, claimTask(wanted), plainCall));
        // One that cannot be read is not claimed; those behind it are.
        const task = await damaged.skip(claiming, undefined);
        if (task === undefined) return null;
        if (task === null && !store.capabilities.atomicIndex) await pipeline.dropStaleKey(target, { index, key });
        return task;
      }),
    );
    const won = outcomes.flatMap((outcome) =>
      outcome.status === "fulfilled" && outcome.value !== null ? [outcome.value] : [],
    );
    // A claim whose fate is not known stays counted until it expires.
    const unused = items.filter((_, i) => outcomes[i]?.status === "fulfilled" && outcomes[i].value === null);
    if (unused.length > 0 && maxConcurrency + rateLimitPerS > 0) {
      await this.#giveBack(
        reactionId,
        unused.map(({ row }) => slotName(row, wanted)),
        true,
      );
    }
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (won.length === 0 && failed !== undefined) throw failed.reason;
    return won;
  }

  /** CompleteTask. Errors: TASK_NOT_FOUND, CLAIM_HELD, TRANSITION_NOT_ALLOWED. */
  complete(request: CompleteTaskRequest, call: Call): Promise<Task> {
    const decide = completeTask(request, this.#ports.limits);
    return this.#settled(this.#ports.pipeline.execute(this.#named(request.taskId), decide, call));
  }

  /** NackTask. Errors: TASK_NOT_FOUND, CLAIM_HELD, TRANSITION_NOT_ALLOWED. */
  nack(request: NackTaskRequest, call: Call): Promise<Task> {
    const decide = nackTask(request, this.#ports.limits);
    return this.#settled(this.#ports.pipeline.execute(this.#named(request.taskId), decide, call));
  }

  async #settled(settling: Promise<Settled>): Promise<Task> {
    const { task, claim } = await settling;
    if (claim !== null) {
      const row = taskRow(this.#partition, task.taskId);
      await this.#giveBack(task.reactionId, [slotName(row, claim)], false);
    }
    return task;
  }

  /** ListTasks: by reaction, oldest first. */
  async list(request: ListTasksRequest): Promise<readonly Task[]> {
    const { limits } = this.#ports;
    const reactionId = optionalId("reaction_id", request.reactionId, limits);
    const status = oneOfOr("status", request.status, statuses);
    const limit = pageSize(request.limit, limits);
    // A claim that has expired is of another status than the one that is written, until somebody writes it down.
    const looked = written.filter((one) => status === "UNSPECIFIED" || one === status || one === "CLAIMED");
    const damaged = new DamagedRows();
    const found = await Promise.all(looked.map((one) => this.#listed(one, status, reactionId, limit, damaged)));
    damaged.check(found.flat().length);
    const byKey = new Map(found.flat().map((item) => [item.key + item.task.taskId, item]));
    const sorted = [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const read = async (from: number, count: number): Promise<Task[]> =>
      sorted.slice(from, from + count).map(({ task }) => task);
    return fillPage({ size: Math.min(limit, sorted.length), limits, firstBatch: limit, read });
  }

  async #listed(
    at: WrittenStatus,
    wanted: NonNullable<ListTasksRequest["status"]>,
    reactionId: string,
    limit: number,
    damaged: DamagedRows,
  ): Promise<readonly { readonly key: string; readonly task: Task }[]> {
    const { pipeline, store } = this.#ports;
    const index = `${this.#partition}/${listIndexPath(at)}`;
    const prefix = reactionId === "" ? "" : listPrefix(reactionId);
    const range = prefix === "" ? {} : { from: prefix, to: `${prefix.slice(0, -1)}0` };
    const found: { key: string; task: Task }[] = [];
    for (let after: ScanItem | undefined; ;) {
      const page = await store.scan(index, { ...range, after, limit: Math.min(scanPage, limit) });
      const tasks = await Promise.all(
        page.items.map(async ({ row, key }) => {
          const target = this.#target(row);
          const asked = pipeline.execute(target, readTask(wanted, key), plainCall);
          const task = await damaged.skip(asked, undefined);
          if (task === undefined) return [];
          if (task === null && !store.capabilities.atomicIndex) await pipeline.dropStaleKey(target, { index, key });
          return task === null ? [] : [{ key, task }];
        }),
      );
      found.push(...tasks.flat());
      if (page.next === undefined || found.length >= limit) return found;
      after = page.next;
    }
  }

  /** What cannot be given back just now goes with the expiry of its claim. */
  async #giveBack(reactionId: string, claims: readonly string[], unused: boolean): Promise<void> {
    const decide = giveBack(claims, unused);
    await twice(() => this.#ports.pipeline.execute(this.#flow(reactionId), decide, plainCall)).catch(() => undefined);
  }

  #flow(reactionId: string) {
    return { row: reactionFlowRow(this.#partition, reactionId), partition: this.#partition, rules: flowRules };
  }

  #named(taskId: string): Target<TaskRow, TaskEvent> {
    return this.#target(taskRow(this.#partition, taskId));
  }

  #target(row: RowId): Target<TaskRow, TaskEvent> {
    return { row, partition: this.#partition, rules: taskRules };
  }
}

/** What a task may weigh: the texts of its entry, escaped, and those of its last error. */
const largestTask = ({ textBytes, identifierBytes }: Limits): number => 8 * textBytes + 16 * identifierBytes;

/** Tries again once what may simply be tried again. */
const twice = <T>(work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    if (error instanceof TapeError && error.retryable) return work();
    throw error;
  });

/** Names one claim on one task: two that are after the same task are counted apart. */
const slotName = (row: RowId, { id }: Pick<TaskClaim, "id">): string =>
  `${row.slice(row.lastIndexOf("/") + 1)}/${id.slice(0, 8)}`;
