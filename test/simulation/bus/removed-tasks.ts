import type { RetentionBounds } from "../../../src/engine/retention.ts";
import type { RowId } from "../../../src/model/row.ts";
import type { Complain } from "../audit/run-entries.ts";
import { isFinal, type DeletedTaskHead, type ReactionRecord, type TaskHead } from "./bus-record.ts";

/** A task as it was, and when. */
interface Known {
  readonly reaction: ReactionRecord;
  readonly head: TaskHead;
  /** How many definitions the reaction had had when the task was made. */
  readonly bornAfter: number;
}

/** Which tasks retention may remove, and that those never come back (`docs/retention.md`). */
export class RemovedTasks {
  readonly #bounds: RetentionBounds;
  /** The clock that a task's end was written by, and that of the server which removes it, may be so far apart. */
  readonly #doubtMs: number;
  readonly #complain: Complain;
  readonly #known = new Map<RowId, Known>();
  readonly #removed = new Set<RowId>();

  constructor(bounds: RetentionBounds, doubtMs: number, complain: Complain) {
    this.#bounds = bounds;
    this.#doubtMs = doubtMs;
    this.#complain = complain;
  }

  /** A task is made, or changes. */
  note(row: RowId, reaction: ReactionRecord, head: TaskHead): void {
    if (this.#removed.has(row)) {
      this.#complain("removed-stays-taken", `${head.task_id} was deleted, and now it is ${head.status}`);
    }
    const bornAfter = this.#known.get(row)?.bornAfter ?? reaction.revisions.length;
    this.#known.set(row, { reaction, head, bornAfter });
  }

  /** A row says that its task was deleted. `now` is the world's time. */
  remove(row: RowId, now: number): void {
    const known = this.#known.get(row);
    if (known === undefined || this.#removed.has(row)) return;
    this.#removed.add(row);
    const { reaction, head } = known;
    reaction.removed.add(head.source_global_seq);
    const why = isFinal(head) ? this.#tooYoung(head, now) : stillWanted(known);
    if (why !== "")
      this.#complain("only-at-rest-removed", `${head.task_id} of ${reaction.id} was deleted though ${why}`);
  }

  #tooYoung({ status, ended_at_ms: endedAtMs }: TaskHead, now: number): string {
    const { runsMs = Infinity, deadTasksMs = Infinity } = this.#bounds;
    const boundMs = status === "DONE" ? runsMs : deadTasksMs;
    return now - endedAtMs + this.#doubtMs >= boundMs
      ? ""
      : `it is ${status} since ${now - endedAtMs} ms, not ${boundMs}`;
  }
}

/**
 * What is open goes only when its reaction has been out since it was made, or was out by then: a server that looked at the
 * reaction before that makes a task afterwards.
 */
function stillWanted({ reaction: { revisions }, head, bornAfter }: Known): string {
  const isGone = revisions.slice(Math.max(0, bornAfter - 1)).some((revision) => revision.head.deleted);
  return isGone ? "" : `it is ${head.status}, and its reaction has been registered all the time`;
}

/** Whether what a row holds is what is left of a deleted task. */
export const isDeletedTask = (head: TaskHead | DeletedTaskHead): head is DeletedTaskHead =>
  head.kind === "deleted-task";
