import { placeIn } from "./feed-position.ts";
import type { FeedPosition } from "./store.ts";

/** A commit in a feed whose places are counted within a millisecond. */
export interface TimedCommit {
  readonly ms: number;
  /** Its entries. */
  readonly count: number;
}

/**
 * The commits of each millisecond from `fromMs` on, where what follows is counted from a millisecond of its own: such ones
 * may go together, and no place of another commit changes. They must be given in their order, and whole milliseconds of them.
 */
export function apartMilliseconds<T extends TimedCommit>(
  commits: readonly T[],
  fromMs: number,
): readonly (readonly T[])[] {
  const groups = new Map<number, T[]>();
  for (const one of commits) {
    const others = groups.get(one.ms);
    if (others === undefined) groups.set(one.ms, [one]);
    else others.push(one);
  }
  const found: (readonly T[])[] = [];
  let last: FeedPosition = 0;
  for (const [ms, group] of groups) {
    for (const { count } of group) last = placeIn(ms, last) + count - 1;
    if (ms >= fromMs && last < placeIn(ms + 1, 0)) found.push(group);
  }
  return found;
}
