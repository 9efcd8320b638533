import { describe, expect, it } from "vitest";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { appendTo, commit, entry } from "../testing/test-store/material.ts";
import { FeedPages } from "./feed-pages.ts";

async function pagesOver(entries: number) {
  const store = new MemoryStore();
  await store.open();
  for (let i = 0; i < entries; i += 1) await commit(store, appendTo(`row-${i}`, 0, { entries: [entry(1)] }));
  let reads = 0;
  const tail = store.tail.bind(store);
  store.tail = (options) => {
    reads += 1;
    return tail(options);
  };
  return { store, pages: new FeedPages(store), reads: () => reads };
}

describe("pages of the feed", () => {
  it("are read once for all that are at one place", async () => {
    const { pages, reads } = await pagesOver(3);
    const [one, two] = await Promise.all([pages.read(0), pages.read(0)]);
    expect(one).toBe(two);
    expect(await pages.read(0)).toBe(one);
    expect(one.entries).toHaveLength(3);
    expect(reads()).toBe(1);
  });

  it("end where the feed ends now, not where it ended when somebody else asked", async () => {
    const { store, pages } = await pagesOver(1);
    const { next } = await pages.read(0);
    // Read before the commit, and answered behind it.
    let answer = (): void => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    const tail = store.tail.bind(store);
    store.tail = async (options) => {
      const page = await tail(options);
      await held;
      return page;
    };
    const early = pages.read(next);
    await commit(store, appendTo("another", 0, { entries: [entry(1)] }));
    const late = pages.read(next);
    answer();
    expect((await early).entries).toEqual([]);
    expect((await late).entries).toHaveLength(1);
  });

  it("are read once more at the end of the feed, and not once for each who asks while it is read", async () => {
    const { store, pages, reads } = await pagesOver(1);
    const { next } = await pages.read(0);
    const before = reads();
    const first = pages.read(next);
    const others = Array.from({ length: 100 }, () => pages.read(next));
    await commit(store, appendTo("another", 0, { entries: [entry(1)] }));
    expect((await first).entries.length).toBeLessThanOrEqual(1);
    for (const other of await Promise.all(others)) expect(other.next).toBeGreaterThanOrEqual(next);
    expect(reads() - before).toBeLessThanOrEqual(2);
  });
});
