import { hashNumber } from "../../codec/hash.ts";
import { compileSubjectPattern } from "../../codec/subject-pattern.ts";
import type { EventEntry } from "../../model/feed.ts";
import type { RowId } from "../../model/row.ts";
import { compilePredicate, type Verdict } from "../predicate.ts";
import type { Definition } from "./reaction.ts";

/** Which shard of a reaction an entry is in: all entries of a run, a value or a session are in the same (R70). */
export const shardOf = (source: RowId, numShards: number): number =>
  numShards === 1 ? 0 : hashNumber(source) % numShards;

/** What a reaction says of an entry (R51, R70). */
export function compileReaction({ subjectPattern, predicateCel }: Definition): (event: EventEntry) => Verdict {
  const matches = compileSubjectPattern(subjectPattern);
  const verdict = compilePredicate(predicateCel);
  return (event) => (matches(event.subject) ? verdict(event) : "no match");
}

/** A matching entry that is not old enough to be the last of its burst. */
export interface Waiting {
  readonly position: number;
  readonly atMs: number;
}

/**
 * The last matching entries of their sources, while it is not certain yet that no other follows within `debounce_ms`
 * (R70). Which entries make tasks follows from the feed alone: an entry does, unless another matching one of the same run,
 * value or session comes behind it whose time is less than `debounce_ms` later.
 */
export class Debounce {
  readonly #waiting = new Map<RowId, Waiting>();

  /** How many sources have an entry waiting. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The position of the earliest entry that waits; `undefined` when none does. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const { position } of this.#waiting.values()) {
      if (oldest === undefined || position < oldest) oldest = position;
    }
    return oldest;
  }

  /** When the first of them has waited long enough; `undefined` when none waits. */
  dueMs(debounceMs: number): number | undefined {
    let due: number | undefined;
    for (const { atMs } of this.#waiting.values()) {
      if (due === undefined || atMs + debounceMs < due) due = atMs + debounceMs;
    }
    return due;
  }

  /** A matching entry of this source; gives the one before it if that was the last of an earlier burst. */
  add(source: RowId, entry: Waiting, debounceMs: number): Waiting | undefined {
    const before = this.#waiting.get(source);
    this.#waiting.set(source, entry);
    return before !== undefined && entry.atMs - before.atMs >= debounceMs ? before : undefined;
  }

  /** Takes out those that nothing can follow any more that is not later than `untilMs`, in the order of the feed. */
  take(untilMs: number, debounceMs: number): readonly Waiting[] {
    const taken: Waiting[] = [];
    for (const [source, waiting] of this.#waiting) {
      if (waiting.atMs + debounceMs > untilMs) continue;
      taken.push(waiting);
      this.#waiting.delete(source);
    }
    return taken.toSorted((a, b) => a.position - b.position);
  }
}
