import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { TapeError } from "../../src/errors.ts";
import type { AppendOutcome, FeedEntry, RowId, RowSlice, Store } from "../../src/store/store.ts";
import { appendTo, bytes, commit, entry, feedOf, patternBytes, rowId } from "../../src/testing/test-store/material.ts";
import { damagedValue, type Cell, type DamageHand, type Way } from "./hand.ts";

/** What is damaged of a row: a column, of its second entry where it is one of entries. */
export interface ColumnDamage {
  readonly column: string;
  readonly way: Way;
}

/**
 * What came of it for whoever asks for that row: `whole`, `named` by a STORE_CORRUPT, `stored` (given as it stands there),
 * `gone` (no such row). In the feed its entries are `whole`, `stored`, or one of them at least is left out: `without`. What
 * an append to it came to: `named` is a refusal for certain.
 */
export interface SeenDamage {
  readonly read: "whole" | "named" | "stored" | "gone";
  readonly feed: "whole" | "stored" | "without";
  readonly append: "committed" | "conflict" | "named";
}

const index = "damage";
const marks = ["a-whole", "z-whole"] as const;

/** A row that is damaged, and what it was before. */
interface DamagedRow {
  readonly row: RowId;
  readonly before: RowSlice | null;
}

/**
 * Writes rows of which each but the first and the last one is then damaged in one column, and asks for everything. Fails
 * where something stops, or differs, that is whole. `undefined`: the database does not let a column be damaged so.
 */
export async function damageRows(
  store: Store,
  hand: DamageHand,
  damages: readonly ColumnDamage[],
): Promise<readonly (SeenDamage | undefined)[]> {
  const run = randomUUID().slice(0, 8);
  const whole = marks.map((mark) => rowId(`${run}-${mark}`));
  const rows = damages.map(({ column, way }, i) => rowId(`${run}-b${i}-${column}-${way}`));
  const all = [...whole, ...rows].toSorted();
  const start = await endOfFeed(store);
  await commit(store, ...all.map((row) => firstAppend(row, row.includes("tape_bodies"))));
  const feed = await feedOf(store, 2 * all.length, start);
  const read = (row: RowId): Promise<RowSlice | null> => store.read(row, { bodies: true });
  const before = new Map<RowId, RowSlice | null>();
  for (const row of all) before.set(row, await read(row));

  const damaged: (DamagedRow | undefined)[] = [];
  for (const [i, row] of rows.entries()) {
    const { column, way } = damages[i] as ColumnDamage;
    const cell = cellOf(await hand.cells(row, column.split(".")[0] ?? ""), column);
    const value = damagedValue(cell.value, way);
    assert.ok(value !== undefined, `${column} cannot be damaged by ${way}`);
    const isTaken = await hand.write(cell, value).then(
      () => true,
      () => false,
    );
    damaged.push(isTaken ? { row, before: before.get(row) ?? null } : undefined);
  }

  for (const row of whole) assert.deepEqual(await read(row), before.get(row), `${row} is read as it was`);
  const reads = new Map<RowId, SeenDamage["read"]>();
  for (const one of damaged) if (one !== undefined) reads.set(one.row, await readSeen(store, one));
  const others = feed.filter(({ row }) => whole.includes(row));
  const found = await follow(store, start, others);
  const { items } = await store.scan(index, { from: `${run}-`, to: `${run}.`, limit: 1000 });
  for (const row of whole)
    assert.ok(
      items.some((item) => item.row === row),
      `${row} is found by its key`,
    );
  await sweepAll(store);
  const outcomes = await store.append(all.map((row) => appendTo(row, 1, { entries: [entry(3)] })));
  const outcomeOf = (row: RowId): AppendOutcome | undefined => outcomes[all.indexOf(row)];
  for (const row of whole) assert.equal(outcomeOf(row)?.kind, "committed", `${row} takes an append`);
  // A reader goes on behind what it has seen.
  await follow(
    store,
    found.at(-1)?.position ?? start,
    whole.map((row) => ({ row, seq: 3 })),
  );
  return damaged.map((one) => {
    if (one === undefined) return undefined;
    const mine = feed.filter(({ row }) => row === one.row);
    return {
      read: reads.get(one.row) ?? "gone",
      feed: feedSeen(found, mine),
      append: appendSeen(outcomeOf(one.row), one.row),
    };
  });
}

const firstAppend = (row: RowId, isLarge: boolean): ReturnType<typeof appendTo> => {
  // Large ones are kept apart by some stores.
  const body = patternBytes(isLarge ? 100_000 : 100, 7);
  return appendTo(row, 0, {
    entries: [entry(1, { body }), entry(2, { body })],
    head: bytes(JSON.stringify({ of: row })),
    add: [{ index, key: row }],
  });
};

function cellOf(cells: readonly Cell[], column: string): Cell {
  const found = cells.filter((cell) => cell.column === column && cell.value !== null);
  const cell = found.find(({ seq }) => seq === 2) ?? found[0];
  assert.ok(cell !== undefined, `there is no ${column}, only ${[...new Set(cells.map((one) => one.column))].join()}`);
  return cell;
}

/** Where the next commit will be. */
async function endOfFeed(store: Store): Promise<number> {
  for (let after = 0; ;) {
    const { next } = await store.tail({ after, limit: 1000 });
    if (next === after) return after;
    after = next;
  }
}

/** Reads the feed until it has given these, each once; gives all that came. */
async function follow(
  store: Store,
  start: number,
  wanted: readonly Pick<FeedEntry, "row" | "seq">[],
): Promise<readonly FeedEntry[]> {
  const all: FeedEntry[] = [];
  const isWanted = (one: FeedEntry): boolean => wanted.some(({ row, seq }) => row === one.row && seq === one.seq);
  for (let found: readonly FeedEntry[] = []; found.length < wanted.length;) {
    all.push(...(await feedOf(store, 1, all.at(-1)?.position ?? start)));
    found = all.filter(isWanted);
  }
  const names = (entries: readonly Pick<FeedEntry, "row" | "seq">[]): readonly string[] =>
    entries.map(({ row, seq }) => `${row}:${seq}`);
  assert.deepEqual(names(all.filter(isWanted)).toSorted(), names(wanted).toSorted(), "what is whole comes once");
  return all;
}

async function readSeen(store: Store, { row, before }: DamagedRow): Promise<SeenDamage["read"]> {
  let found: RowSlice | null;
  try {
    found = await store.read(row, { bodies: true });
  } catch (error) {
    mustName(error, row);
    return "named";
  }
  if (found === null) return "gone";
  return isDeepStrictEqual(found, before) ? "whole" : "stored";
}

function mustName(error: unknown, row: RowId): void {
  assert.ok(error instanceof TapeError && error.reason === "STORE_CORRUPT", `not said to be damaged: ${String(error)}`);
  assert.ok(error.message.includes(row), `the error does not name ${row}: ${error.message}`);
}

function feedSeen(found: readonly FeedEntry[], mine: readonly FeedEntry[]): SeenDamage["feed"] {
  const there = found.filter(({ row }) => row === mine[0]?.row);
  const unplaced = (entries: readonly FeedEntry[]): readonly FeedEntry[] =>
    entries.map((one) => ({ ...one, position: 0 })).toSorted((a, b) => a.seq - b.seq);
  if (isDeepStrictEqual(unplaced(there), unplaced(mine))) return "whole";
  return there.length < mine.length ? "without" : "stored";
}

async function sweepAll(store: Store): Promise<void> {
  for (let after: string | undefined, steps = 0; ; steps += 1) {
    assert.ok(steps < 1000, "a sweep comes to its end");
    const step = await store.sweep?.({ after, limit: 100 });
    after = step?.next;
    if (after === undefined) return;
  }
}

function appendSeen(outcome: AppendOutcome | undefined, row: RowId): SeenDamage["append"] {
  if (outcome?.kind === "committed" || outcome?.kind === "conflict") return outcome.kind;
  assert.equal(outcome?.kind, "refused", `nobody knows what became of an append to ${row}`);
  if (outcome?.kind === "refused") mustName(outcome.error, row);
  return "named";
}
