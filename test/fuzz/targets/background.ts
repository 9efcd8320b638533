import fc from "fast-check";
import { rowKind } from "../../../src/codec/row-id.ts";
import type { RowId } from "../../../src/model/row.ts";
import { parts, type RowDamage } from "../background/damaged-store.ts";
import { factsOf, originsOf } from "../background/facts.ts";
import { backgroundJournal, type Journal } from "../background/journal.ts";
import { Judge, type Outcome } from "../background/judge.ts";
import { play, type PlayOptions } from "../background/play.ts";
import { QuietClock, QuietStore } from "../background/quiet-store.ts";
import { changedText, changes, type Change } from "../damage.ts";
import { freshStores } from "../fresh-stores.ts";
import { trialOn, wrong, type Target, type Trial } from "../target.ts";

const stores = ["memory", "sqlite"] as const;

/** Damage to one of the rows: first its kind is chosen, in the order of their writing. */
export interface DamagedPart extends Change {
  readonly row: number;
  readonly part: (typeof parts)[number] | "head of another kind";
  readonly entry: number;
}

/** An index key that nobody wrote, made of one that somebody did. */
interface ForeignKey extends Change {
  readonly key: number;
}

/** What is damaged of a journal in which store. */
interface Input {
  readonly store: (typeof stores)[number];
  readonly rows: readonly DamagedPart[];
  readonly keys: readonly ForeignKey[];
}

const urls: Readonly<Record<Input["store"], string>> = { memory: "memory:", sqlite: "sqlite::memory:" };

/** A journal of its own, and what takes it away. */
interface Made {
  readonly journal: Journal;
  readonly remove: () => Promise<void>;
}

/** What comes of a journal of which nothing is damaged. */
interface Whole extends Outcome {
  readonly origins: ReturnType<typeof originsOf>;
}

/** A server that goes on for ever asks for more than this times what it needs when all is whole. */
const mostTimes = 3;

async function damageOf(
  journal: Journal,
  { row: n, part, entry, ...change }: DamagedPart,
): Promise<[RowId, RowDamage]> {
  const { feed, rows, store } = journal;
  const kinds = [...new Set(rows.map(rowKind))];
  const ofKind = rows.filter((one) => rowKind(one) === kinds[n % kinds.length]);
  const row = ofKind[Math.floor(n / kinds.length) % ofKind.length] ?? wrong("a journal without rows");
  const seqs = feed.filter((one) => one.row === row).map(({ seq }) => seq);
  const seq = seqs[entry % Math.max(1, seqs.length)];
  if (part === "head of another kind") {
    const donors = rows.filter((other) => rowKind(other) !== rowKind(row));
    const head = (await store.read(donors[entry % donors.length] ?? row, { limit: 0 }))?.head;
    return [row, { ...change, part: "head", seq: 0, head }];
  }
  // Rows of the bus have no entries.
  return seq === undefined || part === "head"
    ? [row, { ...change, part: "head", seq: 0 }]
    : [row, { ...change, part, seq }];
}

async function addKey({ store, keys }: Journal, { key: n, ...change }: ForeignKey): Promise<void> {
  const { row, index, key } = keys[n % keys.length] ?? wrong("a journal without keys");
  const foreign =
    changedText(key, change)
      .replaceAll(/[^!-}]/g, "!")
      .slice(0, 500) || "!";
  const slice = (await store.read(row)) ?? wrong(`${row} is not there`);
  const [outcome] = await store.append([
    {
      row,
      expect: slice.version,
      commitId: `damage-${slice.version}-${n}`,
      head: slice.head,
      entries: [],
      index: { add: [{ index, key: foreign }], remove: [] },
    },
  ]);
  if (outcome?.kind !== "committed") wrong(`the key was not added: ${JSON.stringify(outcome)}`);
}

async function outcomeOf(journal: Journal, options: PlayOptions): Promise<Outcome> {
  const played = await play(journal, options);
  return { journal, played, facts: await factsOf(journal.store, new Set([...journal.rows, ...played.written])) };
}

/**
 * Opens the target; `change` is what the server makes of the store, `url` one that takes the place of those of the inputs,
 * as in `--store`.
 */
export async function openBackground(change?: PlayOptions["change"], url?: string): Promise<Trial<Input>> {
  const elsewhere = url === undefined ? undefined : await freshStores(url);
  const make = async (store: Input["store"]): Promise<Made> => {
    const place = elsewhere ?? (await freshStores(urls[store]));
    const { opened, remove } = await place.make();
    if (elsewhere === undefined) return { journal: await backgroundJournal(opened), remove };
    const settled = new QuietStore(opened);
    return { journal: await backgroundJournal(settled, new QuietClock(settled)), remove };
  };
  const wholes = new Map<string, Whole>();
  const wholeOf = async (store: Input["store"]): Promise<Whole> => {
    const known = wholes.get(url ?? store);
    if (known !== undefined) return known;
    const { journal, remove } = await make(store);
    const outcome = await outcomeOf(journal, {});
    const origins = originsOf(journal.rows, (row) => outcome.facts.has(row));
    await remove();
    const whole = { ...outcome, origins };
    wholes.set(url ?? store, whole);
    return whole;
  };
  const check = async ({ store, rows, keys }: Input): Promise<string> => {
    const whole = await wholeOf(store);
    const { journal, remove } = await make(store);
    try {
      const damaged = new Map<RowId, RowDamage>();
      for (const one of rows) {
        const [row, damage] = await damageOf(journal, one);
        damaged.set(row, damage);
      }
      for (const one of keys) await addKey(journal, one);
      const mostCalls = mostTimes * whole.played.calls;
      const found = await outcomeOf(journal, { damaged, mostCalls, ...(change === undefined ? {} : { change }) });
      const told = new Judge(whole, found, damaged, whole.origins).check();
      const first = [...damaged].map(([row, { part }]) => `${part} of ${rowKind(row)}`)[0] ?? "keys alone";
      return `${first}: ${told}`;
    } finally {
      await remove();
    }
  };
  return trialOn(check, async () => elsewhere?.close());
}

const changeInputs = { change: fc.constantFrom(...changes), at: fc.nat(2000), bit: fc.nat(7) };

/**
 * What a server does by itself and its streams, over damaged rows: it goes on, serves what is whole as if nothing were,
 * and says once what is damaged.
 */
export const background: Target<Input> = {
  name: "background",
  inputs: fc.record({
    store: fc.constantFrom(...stores),
    rows: fc.array(
      fc.record({
        row: fc.nat(100),
        part: fc.constantFrom(...parts, "head", "head", "head of another kind" as const),
        entry: fc.nat(15),
        ...changeInputs,
      }),
      { minLength: 0, maxLength: 3 },
    ),
    keys: fc.array(fc.record({ key: fc.nat(400), ...changeInputs }), { maxLength: 2 }),
  }),
  stores: true,
  open: (store) => openBackground(undefined, store),
};
