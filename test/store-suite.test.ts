import { AssertionError } from "node:assert";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TapeError } from "../src/errors.ts";
import { MemoryData } from "../src/store/memory/memory-data.ts";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import type { Store } from "../src/store/store.ts";
import { storeCases, type StoreCase, type StoreHarness } from "../src/testing/index.ts";
import { brokenStores } from "./broken-stores/broken-stores.ts";

/** Memory stores whose objects share data, each behind the wrapper. */
function harness(wrap: (store: Store) => Store): StoreHarness {
  const shared = new WeakMap<Store, MemoryData>();
  const open = async (data: MemoryData): Promise<Store> => {
    const store = new MemoryStore(data);
    await store.open();
    const wrapped = wrap(store);
    shared.set(wrapped, data);
    return wrapped;
  };
  return {
    create: () => open(new MemoryData()),
    destroy: (store) => store.close(),
    reopen: (store) => open(shared.get(store) ?? new MemoryData()),
  };
}

function caseOf(name: string): StoreCase {
  const found = storeCases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the suite has no case "${name}"`);
  return found;
}

/** Lets timers pass whenever nothing else has happened for some turns of the event loop. */
async function hurry(work: Promise<void>): Promise<void> {
  const state = { isOver: false };
  const working = work.finally(() => {
    state.isOver = true;
  });
  const passing = async (): Promise<void> => {
    while (!state.isOver) {
      for (let turns = 0; turns < 50; turns += 1) await new Promise(setImmediate);
      vi.advanceTimersByTime(100);
    }
  };
  await Promise.all([working, passing()]);
}

describe("testStore catches a store of which it is true that", () => {
  // A case that waits for what never comes need not do so in real time.
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  it.each(brokenStores)("$wrong", async ({ caughtBy, breaks }) => {
    const running = hurry(caseOf(caughtBy).run(harness(breaks)));
    // Not a TypeError, say, which would be a mistake in the broken store.
    await expect(running).rejects.toSatisfy((error) => error instanceof AssertionError || error instanceof TapeError);
  });

  it("what was acknowledged dies with the process", async () => {
    vi.useRealTimers();
    const openStore = new URL("../dist/store/open-store.js", import.meta.url).href;
    const module = `
      import { createStore as create } from ${JSON.stringify(openStore)};
      export const createStore = async (url) => {
        const store = await create(url);
        await store.open();
        return {
          open: async () => {},
          append: async (batch) => batch.map(() => ({ kind: "committed", position: 0 })),
        };
      };`;
    const lying: StoreHarness = {
      ...harness((store) => store),
      crash: () => ({ module: `data:text/javascript,${encodeURIComponent(module)}`, url: "memory:" }),
    };
    const crash = caseOf("crash: everything acknowledged is there after SIGKILL, 1 commits in");
    await expect(crash.run(lying)).rejects.toThrow(/was acknowledged at/);
  });

  it("anything at all is wrong, by random operations alone", async () => {
    const wrongs = new Set([
      "it forgets to trim",
      "it forgets to drop bodies",
      "it removes after it adds",
      "it never conflicts",
      "it swaps bodies",
    ]);
    for (const { breaks } of brokenStores.filter(({ wrong }) => wrongs.has(wrong))) {
      const models = storeCases.filter(({ name }) => name.startsWith("model:"));
      const running = Promise.allSettled(models.map((model) => model.run(harness(breaks))));
      await hurry(running.then(() => undefined));
      const results = await running;
      expect(results.map(({ status }) => status)).toContain("rejected");
    }
  });
});

it("every case of testStore catches some broken store", () => {
  const caught = new Set(brokenStores.map(({ caughtBy }) => caughtBy));
  const unproven = storeCases
    .map(({ name }) => name)
    .filter((name) => !caught.has(name) && !/^(model|crash): /.test(name));
  expect(unproven).toEqual([
    // What it looks for is what no wrapper can do: an empty batch, two stores made apart, data lost by closing.
    "append: an empty batch has no outcomes",
    "life: two stores share nothing",
    "life: everything is there after closing and opening again",
  ]);
});
