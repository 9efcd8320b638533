import { describe, expect, it } from "vitest";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { FeedPage, FeedPosition, TailOptions } from "../store/store.ts";
import { ForwardingStore } from "../testing/forwarding-store.ts";
import { appendTo, commit, entry } from "../testing/test-store/material.ts";
import { FeedLag } from "./feed-lag.ts";

/** A store whose feed ends early, as it does while something holds it back. */
class HeldFeed extends ForwardingStore {
  end: FeedPosition = Infinity;
  reads = 0;

  override async tail(options: TailOptions): Promise<FeedPage> {
    this.reads += 1;
    const page = await super.tail(options);
    const entries = page.entries.filter(({ position }) => position <= this.end);
    return { entries, next: entries.at(-1)?.position ?? options.after };
  }
}

interface Held {
  readonly store: HeldFeed;
  readonly lag: FeedLag;
  /** Writes an entry at a time, and says so; gives its position. */
  readonly write: (at: number) => Promise<FeedPosition>;
}

async function held(): Promise<Held> {
  const memory = new MemoryStore();
  await memory.open();
  const store = new HeldFeed(memory);
  const lag = new FeedLag(store);
  let version = 0;
  return {
    store,
    lag,
    async write(at) {
      const positions = await commit(store, appendTo("row", version, { entries: [entry(version + 1, { at })] }));
      version += 1;
      lag.committed(at);
      return positions[0] ?? 0;
    },
  };
}

describe("the lag of the feed", () => {
  it("is nothing while it gives all, and asks nothing while nothing is written", async () => {
    const { store, lag, write } = await held();
    expect(await lag.measure(5000)).toBe(0);
    expect(store.reads).toBe(0);
    await write(10_000);
    await write(20_000);
    expect(await lag.measure(90_000)).toBe(0);
    store.reads = 0;
    expect(await lag.measure(95_000)).toBe(0);
    expect(store.reads).toBe(0);
  });

  it("is the age of the oldest commit that it does not give yet", async () => {
    const { store, lag, write } = await held();
    store.end = await write(10_000);
    await write(20_000);
    await write(30_000);
    expect(await lag.measure(50_000)).toBe(30_000);
    expect(await lag.measure(60_000)).toBe(40_000);
    store.end += 1;
    expect(await lag.measure(60_000)).toBe(30_000);
    store.end = Infinity;
    expect(await lag.measure(60_000)).toBe(0);
  });

  it("finds the end of a long feed with few reads, and with fewer the next time", async () => {
    const { store, lag, write } = await held();
    for (let i = 0; i < 2000; i += 1) await write(10_000 + i);
    expect(await lag.measure(20_000)).toBe(0);
    expect(store.reads).toBeLessThan(40);
    await write(30_000);
    store.reads = 0;
    expect(await lag.measure(40_000)).toBe(0);
    expect(store.reads).toBeLessThan(6);
  });

  it("of a standstill takes no more memory the longer it lasts", async () => {
    const { store, lag, write } = await held();
    store.end = 0;
    await write(1000);
    for (let ms = 1000; ms < 10_000_000; ms += 500) lag.committed(ms);
    expect(await lag.measure(10_000_000)).toBe(10_000_000 - 1000);
  });
});
