import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { sqliteFileStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { defaultFaultRates, FaultyStore, type FaultyStoreOptions, type StoreFault } from "./faulty-store.ts";
import { seededRandom } from "./random.ts";
import { SettledStore } from "./settled-store.ts";
import { testStore } from "./test-store.ts";
import { appendTo, rowId, upTo } from "./test-store/material.ts";

const runner = { describe, it };
/** Every case draws other faults, each the same ones in every run. */
let seed = 0;

const faulty = (inner: Store, options: Omit<FaultyStoreOptions, "random"> = {}): Store =>
  new SettledStore(new FaultyStore(inner, { random: seededRandom((seed += 1)), ...options }));

const faultyMemory = (options: Omit<FaultyStoreOptions, "random">) => async (): Promise<Store> => {
  const store = faulty(new MemoryStore(), options);
  await store.open();
  return store;
};

testStore({
  name: "faulty-memory",
  runner,
  create: faultyMemory({}),
  destroy: (store) => store.close(),
});

testStore({
  name: "faulty-memory-loose-index",
  runner,
  create: faultyMemory({ atomicIndex: false }),
  destroy: (store) => store.close(),
});

const paths = new WeakMap<Store, string>();

testStore({
  name: "faulty-sqlite-file",
  runner,
  create: async () => {
    const path = join(await mkdtemp(join(tmpdir(), "tape-faulty-")), "tape.db");
    const store = faulty(sqliteFileStore({ path }));
    paths.set(store, path);
    await store.migrate({ dryRun: false });
    return store;
  },
  destroy: async (store) => {
    await store.close();
    await rm(dirname(paths.get(store) ?? ""), { recursive: true });
  },
  reopen: async (store) => {
    const other = faulty(sqliteFileStore({ path: paths.get(store) ?? "" }));
    await other.open();
    return other;
  },
});

/** Some hundred calls of every kind; gives what went wrong. */
async function exercise(store: Store): Promise<readonly string[]> {
  const story: string[] = [];
  const note = async (call: Promise<unknown>): Promise<void> => {
    story.push(JSON.stringify(await call.catch((error: unknown) => String(error))));
  };
  const abort = new AbortController();
  const waking = (async () => {
    for await (const _ of store.wake({ signal: abort.signal })) story.push("wake");
  })();
  for (const step of upTo(200)) {
    const row = rowId(`row-${step % 5}`);
    const version = (await store.read(row, { limit: 0 }).catch(() => null))?.version ?? 0;
    const keys = { add: [{ index: "i", key: `${step}` }], remove: [{ index: "i", key: `${step - 5}` }] };
    await note(store.append([{ ...appendTo(row, version, keys), commitId: `commit-${step}` }]));
    await note(store.scan("i", { limit: 5 }));
    await note(store.tail({ after: 0, limit: 5 }));
    await new Promise(setImmediate);
  }
  abort.abort();
  await waking;
  return story;
}

describe("FaultyStore", () => {
  const open = async (options: Partial<FaultyStoreOptions> = {}): Promise<FaultyStore> => {
    const inner = new MemoryStore();
    await inner.open();
    return new FaultyStore(inner, { random: seededRandom(7), ...options });
  };

  it("injects every kind of fault", async () => {
    const store = await open({ rates: { interloper: 0.1 }, atomicIndex: false });
    await exercise(store);
    const kinds = Object.keys(defaultFaultRates) as StoreFault[];
    expect([...store.injected.keys()].toSorted()).toEqual(kinds.toSorted());
  });

  it("injects the same faults for the same seed, and others for another", async () => {
    const story = async (number: number): Promise<readonly string[]> =>
      exercise(await open({ random: seededRandom(number) }));
    const first = await story(1);
    expect(await story(1)).toEqual(first);
    expect(await story(2)).not.toEqual(first);
  });

  const only = (fault: StoreFault): Partial<FaultyStoreOptions> => ({
    rates: { ...Object.fromEntries(Object.keys(defaultFaultRates).map((name) => [name, 0])), [fault]: 1 },
  });

  it.each([
    ["unknown-committed", 1, 1],
    ["unknown-lost", 0, 0],
    ["unknown-late", 1, 1],
    ["unknown-later", 0, 0],
  ] as const)("%s: the first read finds version %i, one after that %i", async (fault, first, second) => {
    const store = await open(only(fault));
    const [outcome] = await store.append([appendTo("a", 0)]);
    expect(outcome?.kind).toBe("unknown");
    expect((await store.read(rowId("a")))?.version ?? 0).toBe(first);
    expect((await store.read(rowId("a")))?.version ?? 0).toBe(second);
  });

  it("unknown-later: it is written before the next append, which conflicts", async () => {
    const inner = new MemoryStore();
    await inner.open();
    const random = seededRandom(1);
    const store = new FaultyStore(inner, { random, ...only("unknown-later") });
    const late = appendTo("a", 0);
    await store.append([late]);
    await store.append([appendTo("a", 0)]);
    expect((await inner.read(rowId("a")))?.commitId).toBe(late.commitId);
  });

  it("interloper: the conflict is true", async () => {
    const store = await open(only("interloper"));
    expect(await store.append([appendTo("a", 0)])).toMatchObject([{ kind: "committed" }]);
    expect(await store.append([appendTo("a", 1)])).toEqual([{ kind: "conflict", version: 2 }]);
    const slice = await store.read(rowId("a"));
    expect(slice).toMatchObject({ version: 2, head: appendTo("a", 0).head, entries: [{ seq: 1 }] });
  });

  it("unavailable: nothing happened", async () => {
    const inner = new MemoryStore();
    await inner.open();
    const store = new FaultyStore(inner, { random: seededRandom(1), ...only("unavailable") });
    const calls = [
      store.open(),
      store.migrate({ dryRun: true }),
      store.append([appendTo("a", 0)]),
      store.read(rowId("a")),
      store.scan("i", { limit: 1 }),
      store.tail({ after: 0, limit: 1 }),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    expect(await inner.read(rowId("a"))).toBeNull();
  });
});
