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
