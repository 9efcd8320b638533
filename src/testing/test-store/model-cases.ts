import assert from "node:assert/strict";
import { MemoryStore } from "../../store/memory/memory-store.ts";
import type { Append, AppendOutcome, RowSlice, ScanItem, Store } from "../../store/store.ts";
import { seededRandom, type Random } from "../random.ts";
import { appendTo, bytes, entry, feedOf, namesOf, patternBytes, rowId, scanAll, upTo } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

const rows = ["a", "b", "b/1", "c~"];
const spaces = ["i", "j"];
const keys = ["1", "10", "2", "a", "b"];
const seeds = 8;
const steps = 120;

/** What the generator must know to make sense of a row. */
interface Known {
  version: number;
  lastSeq: number;
}

/**
 * The same random operations on the store and on the reference store must give the same answers: outcomes, rows,
 * indexes and feed. A failure names its seed and step; the same seed makes the same operations.
 */
export const modelCases: readonly StoreCase[] = upTo(seeds).map((seed) =>
  storeCase(`model: random operations give what the reference store gives, seed ${seed}`, async (t) => {
    const random = seededRandom(seed);
    const oracle = new MemoryStore();
    await oracle.open();
    const known = new Map<string, Known>(rows.map((row) => [row, { version: 0, lastSeq: 0 }]));
    let { store } = t;
    for (const step of upTo(steps)) {
      try {
        if (t.harness.reopen !== undefined && random.chance(0.03)) {
          const again = await t.reopen();
          if (store !== t.store) await store.close();
          store = again;
        }
        await operate(random, known, store, oracle);
      } catch (error) {
        throw new assert.AssertionError({ message: `seed ${seed}, step ${step}: ${String(error)}` });
      }
    }
    await sameEverywhere(store, oracle);
  }),
);

async function operate(random: Random, known: ReadonlyMap<string, Known>, store: Store, oracle: Store): Promise<void> {
  const kind = random.pick(["append", "append", "append", "read", "scan", "tail"] as const);
  switch (kind) {
    case "append": {
      const batch = random.shuffle(rows).slice(0, 1 + random.int(rows.length));
      const appends = batch.map((row) => randomAppend(random, row, known.get(row) ?? { version: 0, lastSeq: 0 }));
      const expected = await oracle.append(appends);
      assert.deepEqual(fates(await store.append(appends)), fates(expected));
      learn(known, appends, expected);
      return;
    }
    case "read": {
      const row = rowId(random.pick(rows));
      const options = { after: random.int(8), limit: random.int(6), bodies: random.chance(0.5) };
      assert.deepEqual(placeless(await store.read(row, options)), placeless(await oracle.read(row, options)));
      return;
    }
    case "scan": {
      const space = random.pick(spaces);
      const [from = "", to = "~"] = [random.pick(keys), random.pick(keys)].toSorted((a, b) => (a < b ? -1 : 1));
      const range = random.chance(0.5) ? {} : { from, to };
      sameItems(store, await scanAll(store, space, range, 1 + random.int(4)), await scanAll(oracle, space, range));
      return;
    }
    case "tail":
      await sameFeed(store, oracle);
      return;
    default:
      kind satisfies never;
  }
}

function randomAppend(random: Random, row: string, { version, lastSeq }: Known): Append {
  const expect = random.chance(0.8) ? version : random.int(version + 3);
  const entries = upTo(random.int(4)).map((i) => {
    const fields = {
      ref: `e/${random.hex(3)}`,
      meta: `{"x":"${random.hex(random.int(40))}"}`,
      at: random.int(2 ** 40),
    };
    const body = patternBytes(random.pick([0, 1, 100, 1024, 1025, 5000]), random.int(256));
    return entry(lastSeq + 1 + i, random.chance(0.6) ? { ...fields, body } : fields);
  });
  const someKeys = (): Append["index"]["add"] =>
    upTo(random.int(3)).map(() => ({ index: random.pick(spaces), key: random.pick(keys) }));
  return appendTo(row, expect, {
    commitId: random.hex(16),
    head: bytes(`{"pad":"${random.hex(random.int(300))}"}`),
    entries,
    ...(random.chance(0.15) ? { trimBelow: random.int(lastSeq + entries.length + 2) } : {}),
    ...(random.chance(0.15) ? { dropBodiesBelow: random.int(lastSeq + entries.length + 2) } : {}),
    add: someKeys(),
    remove: someKeys(),
  });
}

function learn(
  known: ReadonlyMap<string, Known>,
  appends: readonly Append[],
  outcomes: readonly AppendOutcome[],
): void {
  appends.forEach(({ row, entries }, i) => {
    const state = known.get(row);
    if (state === undefined || outcomes[i]?.kind !== "committed") return;
    state.version += 1;
    state.lastSeq += entries.length;
  });
}

/** Outcomes without positions, which are each store's own. */
const fates = (outcomes: readonly AppendOutcome[]): readonly (string | number)[] =>
  outcomes.map((outcome) => (outcome.kind === "conflict" ? outcome.version : outcome.kind));

const placeless = (slice: RowSlice | null): unknown =>
  slice === null ? null : { ...slice, entries: slice.entries.map((found) => ({ ...found, position: 0 })) };

function sameItems(store: Store, found: readonly ScanItem[], expected: readonly ScanItem[]): void {
  const names = (items: readonly ScanItem[]): readonly string[] => items.map(({ key, row }) => `${key}>${row}`);
  const wanted = names(expected);
  if (store.capabilities.atomicIndex) assert.deepEqual(names(found), wanted);
  else
    assert.deepEqual(
      names(found).filter((name) => wanted.includes(name)),
      wanted,
    );
}

/** Entries of one batch may stand in any order of rows, those of different batches not. */
async function sameFeed(store: Store, oracle: Store): Promise<void> {
  const expected = await feedOf(oracle, 0);
  const found = await feedOf(store, expected.length);
  assert.deepEqual(namesOf(found).toSorted(), namesOf(expected).toSorted());
  const ofRow = (feed: typeof found, row: string): unknown =>
    feed.filter((fed) => fed.row === row).map((fed) => ({ ...fed, position: 0 }));
  for (const row of rows) assert.deepEqual(ofRow(found, row), ofRow(expected, row));
}

async function sameEverywhere(store: Store, oracle: Store): Promise<void> {
  for (const row of rows) {
    const [found, expected] = [
      await store.read(rowId(row), { bodies: true }),
      await oracle.read(rowId(row), { bodies: true }),
    ];
    assert.deepEqual(placeless(found), placeless(expected));
  }
  for (const space of spaces) sameItems(store, await scanAll(store, space), await scanAll(oracle, space));
  await sameFeed(store, oracle);
}
