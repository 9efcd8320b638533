import { describe, expect, it } from "vitest";
import type { FeedEntry, FeedPage, Store } from "../store/store.ts";
import { positionBefore } from "./feed-start.ts";

const minute = 60_000;

/** A feed with an entry a minute at these positions, which counts its reads. */
function feedOf(positions: readonly number[]): { store: Store; reads: () => number } {
  let reads = 0;
  const tail = ({ after, limit }: { after: number; limit: number }): Promise<FeedPage> => {
    reads += 1;
    const at = positions.findIndex((position) => position > after);
    const entries = (at < 0 ? [] : positions.slice(at, at + limit)).map(
      (position, i) => ({ position, at: (at + i + 1) * minute }) as FeedEntry,
    );
    return Promise.resolve({ entries, next: entries.at(-1)?.position ?? after });
  };
  return { store: { tail } as unknown as Store, reads: () => reads };
}

describe("positionBefore", () => {
  it.each([
    ["dense", Array.from({ length: 10_000 }, (_, i) => i + 1)],
    ["sparse", Array.from({ length: 10_000 }, (_, i) => 2 ** 40 + i * 4096)],
  ])("skips the past of a %s feed with few reads, and nothing that may be wanted", async (_name, positions) => {
    const { store, reads } = feedOf(positions);
    const start = await positionBefore(store, 5000 * minute);
    const kept = positions.filter((position) => position > start);
    // Everything from minute 5,000 on, ten minutes more for clocks that disagree, and the two entries before.
    expect(kept).toHaveLength(10_000 - 5000 + 1 + 10 + 2);
    expect(reads()).toBeLessThan(110);
  });

  it("starts at the start when asked for everything", async () => {
    expect(await positionBefore(feedOf([1, 2, 3]).store, 0)).toBe(0);
    expect(await positionBefore(feedOf([]).store, 5000 * minute)).toBe(0);
  });
});
