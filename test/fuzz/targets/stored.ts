import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { Engine } from "../../../src/engine/engine.ts";
import { TapeError } from "../../../src/errors.ts";
import { localAccess } from "../../../src/model/access.ts";
import type { Tape } from "../../../src/model/tape.ts";
import type { FeedPage, ReadOptions, RowId, RowSlice, Store, TailOptions } from "../../../src/store/store.ts";
import type { FakeClock } from "../../../src/testing/fake-clock.ts";
import { ForwardingStore } from "../../../src/testing/forwarding-store.ts";
import { changedBytes, changedText, changes, type Change } from "../damage.ts";
import { openFreshStore } from "../fresh-stores.ts";
import { wrong, type Target } from "../target.ts";
import { sampleJournal, type Sample } from "../sample-journal.ts";

const parts = ["head", "meta", "body", "kind", "entry"] as const;

/** What happens to which row: where and which bit are taken modulo what there is. */
export interface Damage extends Change {
  readonly row: number;
  readonly part: (typeof parts)[number];
  readonly entry: number;
}

/** A store of which one row comes back damaged. */
class DamagedStore extends ForwardingStore {
  readonly #row: RowId;
  readonly #damage: Damage;

  constructor(inner: Store, row: RowId, damage: Damage) {
    super(inner);
    this.#row = row;
    this.#damage = damage;
  }

  override async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    const slice = await super.read(row, options);
    if (slice === null || row !== this.#row) return slice;
    if (this.#damage.part === "head") return { ...slice, head: changedBytes(slice.head, this.#damage) };
    return { ...slice, entries: this.#entries(slice.entries) };
  }

  override async tail(options: TailOptions): Promise<FeedPage> {
    const page = await super.tail(options);
    const damage = this.#damage;
    return {
      ...page,
      entries: page.entries.map((entry) =>
        entry.row === this.#row && damage.part === "meta" && this.#isIt(entry)
          ? { ...entry, meta: changedText(entry.meta, damage) }
          : entry,
      ),
    };
  }

  #isIt = ({ seq }: { readonly seq: number }): boolean => seq === 1 + (this.#damage.entry % 4);

  #entries<E extends RowSlice["entries"][number]>(entries: readonly E[]): readonly E[] {
    const damage = this.#damage;
    return entries.flatMap((entry) => {
      if (!this.#isIt(entry)) return [entry];
      switch (damage.part) {
        case "entry":
          return [];
        case "meta":
          return [{ ...entry, meta: changedText(entry.meta, damage) }];
        case "kind":
          return [{ ...entry, kind: changedText(entry.kind, damage) }];
        default:
          return [entry.body === undefined ? entry : { ...entry, body: changedBytes(entry.body, damage) }];
      }
    });
  }
}

/** What came of a call: its answer as plain data, or the error. */
export type Answer = { readonly value: unknown } | { readonly error: unknown };

export const answerOf = async (call: Promise<unknown>): Promise<Answer> => {
  try {
    return { value: JSON.parse(JSON.stringify(await call)) as unknown };
  } catch (error) {
    return { error };
  }
};

/** The items of a list that do not speak of a row; lists are answers themselves, or stand in one. */
export function withoutRow(value: unknown, mark: string): unknown {
  if (Array.isArray(value)) return value.filter((item) => !JSON.stringify(item).includes(mark));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutRow(part, mark)]));
}

/** Entries of the feed, those that should speak of a row replaced by what they should be. */
const inPlaceOf = (value: unknown, expected: unknown, mark: string): unknown =>
  Array.isArray(value) && Array.isArray(expected)
    ? value.map((item: unknown, i) => (JSON.stringify(expected[i])?.includes(mark) ? (expected[i] as unknown) : item))
    : value;

async function withTape<T>(store: Store, clock: FakeClock, work: (tape: Tape) => Promise<T>): Promise<T> {
  const engine = new Engine({ store, clock, reactors: false });
  try {
    return await work(engine.tape(localAccess));
  } finally {
    await engine.close();
  }
}

/** What a damaged row is said to be. */
function checkError(error: unknown, row: RowId): string {
  if (!(error instanceof TapeError)) return wrong(`an error that is no TapeError: ${String(error)}`);
  if (error.reason !== "STORE_CORRUPT" && error.reason !== "FORMAT_NEWER") {
    return wrong(`${error.reason} instead of STORE_CORRUPT: ${error.message}`);
  }
  if (!error.message.includes(row)) return wrong(`the error does not name the row: ${error.message}`);
  return "error";
}

/** Whether a reader has a way to tell: a bit within a text may make another text. */
const mustBeSeen = ({ part, change }: Damage): boolean =>
  part === "entry" || (change !== "flip" && part !== "kind") || part === "kind";

/** Tries one damage on a journal. */
export async function checkDamage(
  sample: Sample,
  damage: Damage,
  damagedStore = (store: Store, row: RowId): Store => new DamagedStore(store, row, damage),
): Promise<string> {
  const rows = Object.keys(sample.marks) as RowId[];
  const row = rows[damage.row % rows.length] ?? wrong("a journal without rows");
  const mark = sample.marks[row] ?? "";
  const store = damagedStore(sample.store, row);
  return withTape(store, sample.clock, async (tape) => {
    let outcome = "unseen";
    for (const probe of sample.probes) {
      const expected = sample.answers.get(probe.name);
      const answer = await answerOf(probe.ask(tape));
      if (probe.row === row) {
        if ("error" in answer) outcome = checkError(answer.error, row);
        else if (!isDeepStrictEqual(answer.value, expected)) {
          // The first versions of a value go in time, so that a lost one looks like one of those.
          const isTrimmed = probe.name.startsWith("watchValue") && damage.part === "entry";
          if (mustBeSeen(damage) && !isTrimmed) wrong(`${probe.name}: another answer than was written, and no error`);
          outcome = outcome === "error" ? outcome : "wrong data";
        }
        continue;
      }
      if ("error" in answer) wrong(`${probe.name}: a row that it does not need stops it: ${String(answer.error)}`);
      // The feed gives what is stored, and all of it.
      const got = probe.name === "feed" ? inPlaceOf(answer.value, expected, mark) : answer.value;
      if (!isDeepStrictEqual(withoutRow(got, mark), withoutRow(expected, mark))) {
        wrong(`${probe.name}: another answer, though its own row is whole`);
      }
    }
    return `${damage.change} of ${damage.part}: ${outcome}`;
  });
}

/** Stored rows that are damaged: an error that names the row, and everything else as if nothing were. */
export const stored: Target<Damage> = {
  name: "stored",
  inputs: fc.record({
    row: fc.nat(20),
    part: fc.constantFrom(...parts),
    entry: fc.nat(7),
    change: fc.constantFrom(...changes),
    at: fc.nat(2000),
    bit: fc.nat(7),
  }),
  stores: true,
  async open(store = "memory:") {
    const { opened, remove } = await openFreshStore(store);
    const sample = await sampleJournal(opened);
    return { check: (damage) => checkDamage(sample, damage), close: remove };
  },
};
