import type { FeedEntry, FeedPosition, Store } from "../store/store.ts";

/** How far the clocks of two servers may be apart before a search by time begins too late (R8 asks for no more). */
const skewMs = 600_000;

/**
 * A feed position before everything written at `ms` or later, found by bisection: some 50 small reads on any store,
 * instead of reading its whole past. Positions are in the order of commits, times nearly so, hence the margin for clocks.
 */
export async function positionBefore(store: Store, ms: number): Promise<FeedPosition> {
  if (ms <= skewMs) return 0;
  const isEarlier = async (position: FeedPosition): Promise<boolean> => {
    // Two of them, so that one whose time is damaged does not have all before it left out.
    const { entries } = await store.tail({ after: position, limit: 2 });
    return entries.length === 2 && entries.every(({ at }) => at < ms - skewMs);
  };
  let early = 0;
  let late = 1;
  while (await isEarlier(late)) {
    early = late;
    late *= 2;
  }
  while (late - early > 1) {
    const middle = early + Math.floor((late - early) / 2);
    if (await isEarlier(middle)) early = middle;
    else late = middle;
  }
  return early;
}

/**
 * The last entry that the feed gives, or gave at a moment since the question; `undefined` when there is none. Found by
 * steps that grow and shrink: some 100 small reads on any store, and few from a position near the end.
 */
export async function lastEntry(store: Store, from: FeedPosition = 0): Promise<FeedEntry | undefined> {
  let last = await firstBehind(store, Math.max(0, from - 1));
  // At some moment since the question nothing was behind it: who writes as fast as this reads is not followed for ever.
  let bound = Infinity;
  for (let step = 1; last !== undefined;) {
    const after = Math.min(last.position + step - 1, Number.MAX_SAFE_INTEGER);
    const next = after < bound ? await firstBehind(store, after) : undefined;
    if (next !== undefined && next.position <= bound) {
      last = next;
      step *= 8;
      continue;
    }
    bound = Math.min(bound, after);
    if (step === 1) break;
    step = Math.max(1, Math.floor(step / 4));
  }
  return last;
}

/** A page may be empty and yet not be the last. */
async function firstBehind(store: Store, position: FeedPosition): Promise<FeedEntry | undefined> {
  for (let after = position; ;) {
    const { entries, next } = await store.tail({ after, limit: 1 });
    if (entries.length > 0 || next <= after) return entries[0];
    after = next;
  }
}
