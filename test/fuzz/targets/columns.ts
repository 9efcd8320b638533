import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { Engine } from "../../../src/engine/engine.ts";
import { eventEntry } from "../../../src/engine/journal-entry.ts";
import { TapeError } from "../../../src/errors.ts";
import { localAccess } from "../../../src/model/access.ts";
import type { RowId } from "../../../src/model/row.ts";
import { createStore } from "../../../src/store/open-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { handOf } from "../../damage/hands.ts";
import { damagedValue, ways, type Cell, type CellValue, type DamageHand, type Way } from "../../damage/hand.ts";
import { openStorePlace, type StorePlace } from "../../linearizability/store-place.ts";
import { sampleJournal, type Sample } from "../sample-journal.ts";
import { trialOn, wrong, type Target, type Trial } from "../target.ts";
import { answerOf, withoutRow, type Answer } from "./stored.ts";

/** Which cell of which row is damaged, and how: numbers are taken modulo what there is. */
interface DamagedCell {
  readonly row: number;
  readonly table: number;
  readonly cell: number;
  readonly way: number;
}

/** A journal in a real store, and a hand that reaches behind it. */
interface Scene {
  readonly place: StorePlace;
  readonly hand: DamageHand;
  readonly sample: Sample;
  /** The whole feed, without positions. */
  readonly feed: readonly FeedLine[];
}

/** An entry of the feed, and its row. */
interface FeedLine {
  readonly row: RowId;
  readonly text: string;
}

/** What is damaged now. */
interface Damaged {
  readonly row: RowId;
  readonly column: string;
  readonly way: Way;
}

/** A stream that gives nothing for so long is taken to stand still, milliseconds. */
const patienceMs = 20_000;

async function openScene(store: string | undefined): Promise<Scene> {
  const place = await openStorePlace(store);
  const opened = await createStore(place.url, { environment: place.environment });
  const sample = await sampleJournal(opened);
  return { place, sample, hand: await handOf(place.url), feed: await wholeFeed(opened) };
}

async function closeScene({ place, sample, hand }: Scene): Promise<void> {
  await hand.close();
  await sample.store.close();
  await place.remove();
}

async function wholeFeed(store: Store): Promise<readonly FeedLine[]> {
  const lines: FeedLine[] = [];
  for (let after = 0; ;) {
    const { entries, next } = await store.tail({ after, limit: 100 });
    for (const entry of entries) {
      lines.push({ row: entry.row, text: JSON.stringify({ ...eventEntry(entry), globalSeq: 0 }) });
    }
    if (next === after) return lines;
    after = next;
  }
}

/** Columns that say where something belongs, or that is noted for people only: another value there is another meaning. */
const places = /\.(?:row|row_id|id|idx|name|key|shard|position|part|committed_at|first_seq|entries)$/;
const unchecked = /\.(?:at|at_ms|trace|commit_id|ref|dims|version)$/;

/** Whether a row may be given otherwise without an error: nothing is there by which it could be noticed. */
const mayDiffer = ({ column, way }: Damaged): boolean =>
  way === "flip" || (way === "null" && column.endsWith(".body")) || unchecked.test(column) || places.test(column);

/** Whether it may look as if the row, or a part of it, had never been. */
const mayVanish = ({ column }: Damaged): boolean => /^tape_rows\.(?:row|id)$/.test(column);

function checkError(error: unknown, damaged: readonly Damaged[]): void {
  if (!(error instanceof TapeError)) wrong(`an error that is no TapeError: ${String(error)}`);
  if (damaged.some(mayVanish) && error.code === "NOT_FOUND") return;
  if (error.reason !== "STORE_CORRUPT" && error.reason !== "FORMAT_NEWER") {
    wrong(`${error.reason} instead of STORE_CORRUPT: ${error.message}`);
  }
  if (!damaged.some(({ row }) => error.message.includes(row)))
    wrong(`the error does not name the row: ${error.message}`);
}

/** Asks everything of a journal in which this is damaged. */
async function judge({ sample, feed }: Scene, damaged: readonly Damaged[]): Promise<string> {
  const marks = damaged.map(({ row }) => sample.marks[row] ?? row);
  const rows = new Set(damaged.map(({ row }) => row));
  const others = feed.filter(({ row }) => !rows.has(row));
  const found = (await wholeFeed(sample.store)).filter(({ row }) => others.some((one) => one.row === row));
  if (!isDeepStrictEqual(found, others)) wrong("the feed gives entries otherwise that are whole");
  const engine = new Engine({ store: sample.store, clock: sample.clock, reactors: false });
  let outcome = "unseen";
  try {
    const tape = engine.tape(localAccess);
    for (const probe of sample.probes) {
      const mine = damaged.filter(({ row }) => row === probe.row);
      // What stands in the feed was looked at above, to its end; who watches a value that is not there waits for it.
      if (probe.name === "feed" || (probe.name.startsWith("watchValue") && mine.some(mayVanish))) continue;
      const answer = await inTime(probe.name, answerOf(probe.ask(tape)));
      const expected = sample.answers.get(probe.name);
      if (probe.row === null || !rows.has(probe.row)) {
        const without = (value: unknown): unknown => marks.reduce((left, mark) => withoutRow(left, mark), value);
        if ("error" in answer) {
          // A list of which nothing can be read says so.
          if (!isEmpty(without(expected)))
            wrong(`${probe.name}: a row that it does not need stops it: ${String(answer.error)}`);
          checkError(answer.error, damaged);
          continue;
        }
        if (!isDeepStrictEqual(without(answer.value), without(expected)))
          wrong(`${probe.name}: another answer, though its own row is whole`);
        continue;
      }
      if ("error" in answer) {
        checkError(answer.error, mine);
        outcome = "error";
      } else if (!isDeepStrictEqual(answer.value, expected)) {
        if (!mine.some(mayDiffer)) wrong(`${probe.name}: another answer than was written, and no error`);
        outcome = outcome === "error" ? outcome : "wrong data";
      }
    }
  } finally {
    await engine.close();
  }
  return outcome;
}

const isEmpty = (list: unknown): boolean =>
  Array.isArray(list)
    ? list.length === 0
    : typeof list === "object" &&
      list !== null &&
      Object.values(list).every((part) => !Array.isArray(part) || part.length === 0);

async function inTime(name: string, asking: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(() => resolve({ error: new Error(`${name} stands still`) }), patienceMs);
  });
  try {
    return await Promise.race([asking, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Damages a cell; `undefined`: the database refuses it, or there is nothing to damage. */
async function damage(
  { sample, hand }: Scene,
  { row: n, table: t, cell: c, way: w }: DamagedCell,
): Promise<{ readonly damaged: Damaged; readonly changed: Cell; readonly before: CellValue } | undefined> {
  const rows = Object.keys(sample.marks) as RowId[];
  const row = rows[n % rows.length] ?? wrong("a journal without rows");
  const tables: (readonly Cell[])[] = [];
  for (const table of hand.tables) tables.push((await hand.cells(row, table)).filter(({ value }) => value !== null));
  const filled = tables.filter((cells) => cells.length > 0);
  const cells = filled[t % filled.length] ?? [];
  const cell = cells[c % cells.length];
  // An earlier damage may have taken its name away.
  if (cell === undefined) return undefined;
  const fitting = ways.filter((one) => damagedValue(cell.value, one) !== undefined);
  const way = fitting[w % fitting.length] ?? "flip";
  const value = damagedValue(cell.value, way);
  // An entry that comes to another row is that one's damage.
  if (value === undefined || (cell.column === "tape_entries.row_id" && way === "flip")) return undefined;
  try {
    return { damaged: { row, column: cell.column, way }, changed: await hand.write(cell, value), before: cell.value };
  } catch {
    return undefined;
  }
}

/** Opens the target; `change` is what the server makes of the store. */
export async function openColumns(
  store?: string,
  change: (store: Store) => Store = (same) => same,
): Promise<Trial<readonly DamagedCell[]>> {
  let scene = await openScene(store);
  const renew = async (): Promise<void> => {
    await closeScene(scene);
    scene = await openScene(store);
  };
  const check = async (input: readonly DamagedCell[]): Promise<string> => {
    const done = [];
    for (const one of input) {
      const found = await damage(scene, one);
      if (found !== undefined) done.push(found);
    }
    const [first] = done;
    if (first === undefined) return "refused by the database";
    try {
      const outcome = await judge(
        { ...scene, sample: { ...scene.sample, store: change(scene.sample.store) } },
        done.map(({ damaged }) => damaged),
      );
      return `${first.damaged.column} ${first.damaged.way}: ${outcome}`;
    } finally {
      try {
        for (const { changed, before } of done.toReversed()) await scene.hand.write(changed, before);
      } catch {
        // Something was written meanwhile, so that nobody can put back what was there.
        await renew();
      }
    }
  };
  return trialOn(check, () => closeScene(scene));
}

/**
 * Columns of a real database that are damaged by its own means: an error that names the row, and everything else as if
 * nothing were. What the database itself does not take is no input.
 */
export const columns: Target<readonly DamagedCell[]> = {
  name: "columns",
  stores: true,
  inputs: fc.array(fc.record({ row: fc.nat(20), table: fc.nat(20), cell: fc.nat(200), way: fc.nat(40) }), {
    minLength: 1,
    maxLength: 3,
  }),
  open: (store) => openColumns(store),
};
