import { indexName, partitionOfRow, runIdOfRow, tickIndex } from "../../../src/codec/row-id.ts";
import { timeOfKey } from "../../../src/codec/time-key.ts";
import type { RetentionBounds } from "../../../src/engine/retention.ts";
import type { RowId } from "../../../src/model/row.ts";
import type { Surroundings } from "../areas/area.ts";
import type { Auditor, Commit } from "../audit/auditor.ts";
import type { Complain } from "../audit/run-entries.ts";
import type { CallBook } from "../world/call-book.ts";
import type { SimulatedData } from "../world/simulated-data.ts";
import type { World } from "../world/world.ts";
import {
  emptyReaction,
  isFinal,
  type DeletedTaskHead,
  type FlowHead,
  type ReactionHead,
  type ReactionRecord,
  type ShardHead,
  type TaskHead,
} from "./bus-record.ts";
import { isDeletedTask, RemovedTasks } from "./removed-tasks.ts";
import { mayHaveTask, mustHaveTask } from "./match-rules.ts";
import { mayBecome, mustKeepConcurrency, mustKeepRate } from "./task-rules.ts";

/** How long servers have shards to themselves. */
const shardLeaseMs = 15_000;

/** Reads every commit of the event bus as somebody would who knows R70, R71 and the stored formats, but not the code. */
export class BusAuditor {
  readonly reactions: Map<string, ReactionRecord> = new Map<string, ReactionRecord>();
  readonly #world: World;
  readonly #data: SimulatedData;
  readonly #auditor: Auditor;
  readonly #book: CallBook;
  /** How far clocks may be beside each other, in milliseconds. */
  readonly #doubtMs: number;
  readonly #removed: RemovedTasks;

  constructor({ world, data, auditor, book }: Surroundings, doubtMs: number, bounds: RetentionBounds) {
    this.#removed = new RemovedTasks(bounds, doubtMs, this.#complain);
    this.#world = world;
    this.#data = data;
    this.#auditor = auditor;
    this.#book = book;
    this.#doubtMs = doubtMs;
  }

  read({ row, kind, head, entries, append }: Commit): void {
    switch (kind) {
      case "reaction":
        this.#reaction(head as ReactionHead);
        break;
      case "reaction-shard":
        this.#shard(row, head as ShardHead);
        break;
      case "reaction-flow":
        this.#flow(row, head as FlowHead);
        break;
      case "task":
        this.#task(row, head as TaskHead | DeletedTaskHead);
        break;
      case "run":
        for (const [i, { kind: what, seq, meta }] of entries.entries()) {
          const isByServer = this.#book.writerOf(append.entries[i]?.trace ?? "") === undefined;
          if (what === "run/running" && isByServer) this.#started(row, seq, meta);
        }
        break;
      default:
    }
  }

  /** The reaction of this id. */
  of(id: string): ReactionRecord {
    const known = this.reactions.get(id) ?? emptyReaction(id);
    this.reactions.set(id, known);
    return known;
  }

  /** Entries up to this position that should have a task and have none. */
  missing(reaction: ReactionRecord, from: number, to: number): number | undefined {
    for (let position = from + 1; position <= to; position += 1) {
      if (!reaction.tasks.has(position) && mustHaveTask(reaction, this.#auditor.feed, position)) return position;
    }
    return undefined;
  }

  readonly #complain: Complain = (invariant, what) => {
    this.#world.violated(invariant, what);
  };

  #reaction(head: ReactionHead): void {
    const reaction = this.of(head.reaction_id);
    const before = reaction.revisions.at(-1)?.head;
    if (before?.revision === head.revision) return;
    reaction.revisions.push({ head, since: this.#auditor.feed.length });
    if (before?.generation !== head.generation) reaction.checkedTo = head.start;
  }

  /** The cursor never passes an entry whose task is not durable; the shard is one server's at a time. */
  #shard(row: RowId, head: ShardHead): void {
    const reaction = this.of(row.split("/")[2] ?? "");
    const before = reaction.shards.get(row);
    reaction.shards.set(row, head);
    if (before !== undefined) {
      const isAnother = head.owner !== before.owner;
      if (isAnother && before.lease_expires_at_ms > head.lease_expires_at_ms - shardLeaseMs) {
        this.#complain("cursor-behind-tasks", `${row} was taken by ${head.owner} while ${before.owner} had it`);
      }
      if (head.epoch !== before.epoch + Number(isAnother)) {
        this.#complain("cursor-behind-tasks", `${row} went from epoch ${before.epoch} to ${head.epoch}`);
      }
      if (head.generation === before.generation && head.cursor < before.cursor) {
        this.#complain("cursor-behind-tasks", `the cursor of ${row} went back from ${before.cursor} to ${head.cursor}`);
      }
    }
    const last = reaction.revisions.at(-1)?.head;
    const shards = [...reaction.shards.values()].filter(({ generation }) => generation === last?.generation);
    if (last === undefined || shards.length < last.num_shards) return;
    const cursor = Math.min(...shards.map((shard) => shard.cursor));
    const missing = this.missing(reaction, reaction.checkedTo, cursor);
    if (missing !== undefined) {
      this.#complain(
        "cursor-behind-tasks",
        `${reaction.id} is at ${cursor}, but entry ${missing} matches and has no task`,
      );
    }
    reaction.checkedTo = Math.max(reaction.checkedTo, cursor);
  }

  #flow(row: RowId, head: FlowHead): void {
    const reaction = this.of(row.split("/")[2] ?? "");
    reaction.flow = head;
    mustKeepRate(reaction, this.#complain);
  }

  #task(row: RowId, head: TaskHead | DeletedTaskHead): void {
    if (isDeletedTask(head)) {
      this.#removed.remove(row, this.#world.scheduler.now);
      return;
    }
    const reaction = this.of(head.reaction_id);
    this.#removed.note(row, reaction, head);
    const position = head.source_global_seq;
    const before = reaction.tasks.get(position);
    if (before === undefined) this.#born(reaction, head);
    else if (before.task_id !== head.task_id) {
      this.#complain("one-task-an-entry", `${before.task_id} and ${head.task_id} are both of entry ${position}`);
    } else mayBecome(before, head, this.#doubtMs, this.#complain);
    reaction.tasks.set(position, head);
    if (head.claim !== null) reaction.claims.add(`${head.task_id} ${head.claim.owner}`);
    mustKeepConcurrency(reaction, this.#world.scheduler.now + this.#doubtMs, this.#complain);
    this.#mustBeFindable(row, head);
  }

  #born(reaction: ReactionRecord, head: TaskHead): void {
    const { task_id: id, source_global_seq: position } = head;
    const item = this.#auditor.feed[position - 1];
    if (item === undefined || !mayHaveTask(reaction, this.#auditor.feed, position, this.#doubtMs)) {
      this.#complain("one-task-an-entry", `${id} was made of entry ${position}, which does not match ${reaction.id}`);
      return;
    }
    const runId = runIdOfRow(item.row);
    if (head.source_run_id !== runId || head.payload_json !== item.meta) {
      this.#complain("one-task-an-entry", `${id} does not say what entry ${position} says`);
    }
    const shard = reaction.shardOfRow.get(item.row) ?? head.shard;
    if (shard !== head.shard) {
      this.#complain("one-task-an-entry", `entries of ${item.row} are in shards ${shard} and ${head.shard}`);
    }
    reaction.shardOfRow.set(item.row, shard);
  }

  /** Whoever has to do something with a task finds it. */
  #mustBeFindable(row: RowId, head: TaskHead): void {
    if (isFinal(head)) return;
    const due = head.claim?.expires_at_ms ?? head.next_attempt_at_ms;
    const byTime = indexName(partitionOfRow(row), "tasks", head.reaction_id);
    // After a claim that was the last one there is no other attempt, but the server writes down that it is over.
    const indexes = head.claim === null ? [byTime] : [byTime, tickIndex];
    const latest = due + (head.claim === null ? 0 : head.retry_backoff_ms * 2 ** head.attempts);
    const isFound = indexes.some((index) => this.#data.index.of(index, row).some((key) => timeOfKey(key) <= latest));
    if (!isFound) this.#complain("index-never-too-few", `${head.task_id} is ${head.status}, but has no key for that`);
  }

  /** A run that a reaction begins is begun once, for a task that there is. */
  #started(row: RowId, seq: number, meta: unknown): void {
    const { actor = "", invocation_id: taskId = "" } = meta as {
      readonly actor?: string;
      readonly invocation_id?: string;
    };
    if (!actor.startsWith("reaction/")) return;
    if (seq !== 1) this.#complain("one-run-a-task", `${row} was begun again by ${actor}, with entry ${seq}`);
    const tasks = [...this.of(actor.slice("reaction/".length)).tasks.values()];
    if (!tasks.some((task) => task.task_id === taskId)) {
      this.#complain("one-run-a-task", `${row} was begun by ${actor} for ${taskId}, which there is not`);
    }
  }
}
