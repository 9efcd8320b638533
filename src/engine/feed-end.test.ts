import { describe, expect, it } from "vitest";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { FeedPage, FeedPosition, TailOptions } from "../store/store.ts";
import { ForwardingStore } from "../testing/forwarding-store.ts";
import { appendTo, commit, entry } from "../testing/test-store/material.ts";
import { FeedEnd } from "./feed-end.ts";

/** A store that counts reads of its feed, of which one may fail and of which the newest entries may have gone. */
class CountedFeed extends ForwardingStore {
  reads = 0;
  end: FeedPosition = Infinity;
  failure: Error | undefined;
  beforeRead: () => Promise<void> = async () => undefined;

  override async tail(options: TailOptions): Promise<FeedPage> {
    this.reads += 1;
    if (this.reads > 1000) throw new Error("endless");
    await this.beforeRead();
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    const page = await super.tail(options);
    const entries = page.entries.filter(({ position }) => position <= this.end);
    return { entries, next: entries.at(-1)?.position ?? options.after };
  }
}

interface Counted {
  readonly store: CountedFeed;
  readonly end: FeedEnd;
  /** Writes entries; gives the position of the last one. */
  readonly write: (count: number) => Promise<FeedPosition>;
}

async function counted(): Promise<Counted> {
  const memory = new MemoryStore();
  await memory.open();
  const store = new CountedFeed(memory);
  let version = 0;
  let seq = 0;
  return {
    store,
    end: new FeedEnd(store),
    async write(count) {
      const entries = Array.from({ length: count }, (_, i) => entry(seq + 1 + i));
      const positions = await commit(store, appendTo("row", version, { entries }));
      version += 1;
      seq += count;
      return positions.at(-1) ?? 0;
    },
  };
}

describe("the end of the feed", () => {
  it("is 0 while there is nothing, then the last entry", async () => {
    const { end, write } = await counted();
    expect(await end.position()).toBe(0);
    const last = await write(1);
    expect(await end.position()).toBe(last);
  });

  it("is looked for twice for all who ask while it is looked for: once more than for one", async () => {
    const { store, end, write } = await counted();
    const last = await write(1);
    await end.position();
    const { reads } = store;
    const asked = Array.from({ length: 100 }, () => end.position());
    const first = end.position();
    await first;
    const meanwhile = Array.from({ length: 100 }, () => end.position());
    expect(new Set(await Promise.all([...asked, ...meanwhile]))).toEqual(new Set([last]));
    expect(store.reads - reads).toBeLessThanOrEqual(2 * reads);
  });

  it("is never of before the question: what was committed by then counts", async () => {
    const { end, write } = await counted();
    await write(1);
    const early = end.position();
    // That search is under way when the next entry comes.
    await Promise.resolve();
    const last = await write(1);
    expect(await end.position()).toBe(last);
    expect(await early).toBeLessThanOrEqual(last);
  });

  it("is found while others write as fast as it is looked for", async () => {
    const { store, end, write } = await counted();
    const first = await write(20);
    store.beforeRead = async () => void (await write(3));
    expect(await end.position()).toBeGreaterThanOrEqual(first);
    expect(store.reads).toBeLessThan(60);
  });

  it("is found although the entry that was last has gone", async () => {
    const { store, end, write } = await counted();
    const first = await write(1);
    const second = await write(1);
    expect(await end.position()).toBe(second);
    store.end = first;
    expect(await end.position()).toBe(first);
  });

  it("is found with few reads from a position that somebody knows", async () => {
    const { store, end, write } = await counted();
    const known = await write(3000);
    const last = await write(3);
    end.learn(known);
    expect(await end.position()).toBe(last);
    expect(store.reads).toBeLessThan(12);
  });

  it("is looked for again after a search that failed, and those who shared it are told", async () => {
    const { store, end, write } = await counted();
    const last = await write(1);
    store.failure = new Error("away");
    const [one, other] = await Promise.allSettled([end.position(), end.position()]);
    expect([one.status, other.status]).toEqual(["rejected", "rejected"]);
    expect(await end.position()).toBe(last);
  });
});
