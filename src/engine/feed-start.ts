import type { FeedPosition, Store } from "../store/store.ts";

/** How far the clocks of two servers may be apart before a search by time begins too late (R8 asks for no more). */
const skewMs = 600_000;

/**
 * A feed position before everything written at `ms` or later, found by bisection: some 50 small reads on any store,
 * instead of reading its whole past. Positions are in the order of commits, times nearly so, hence the margin for clocks.
 */
export async function positionBefore(store: Store, ms: number): Promise<FeedPosition> {
  if (ms <= skewMs) return 0;
  const isEarlier = async (position: FeedPosition): Promise<boolean> => {
    const { entries } = await store.tail({ after: position, limit: 1 });
    return entries[0] !== undefined && entries[0].at < ms - skewMs;
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

/** The position of the last entry that the feed gives now; 0 when there is none. Some 100 small reads on any store. */
export async function endOfFeed(store: Store): Promise<FeedPosition> {
  const goesOnBehind = async (position: FeedPosition): Promise<boolean> => {
    for (let after = position; ;) {
      const { entries, next } = await store.tail({ after, limit: 1 });
      if (entries.length > 0) return true;
      if (next <= after) return false;
      after = next;
    }
  };
  let before = -1;
  let end = 0;
  while (await goesOnBehind(end)) {
    before = end;
    end = Math.min(Math.max(1, end * 2), Number.MAX_SAFE_INTEGER);
  }
  while (end - before > 1) {
    const middle = before + Math.floor((end - before) / 2);
    if (await goesOnBehind(middle)) before = middle;
    else end = middle;
  }
  return end;
}
