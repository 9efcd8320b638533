import type {
  Append,
  AppendOutcome,
  CallContext,
  FeedPage,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  Store,
  StoredEntry,
  TailOptions,
} from "../../../src/store/store.ts";
import { ForwardingStore } from "../../../src/testing/forwarding-store.ts";
import { changedBytes, changedText, type Change } from "../damage.ts";

/** What of a row may be damaged: its head, or something of one entry, or all of that. */
export const parts = ["head", "entry", "kind", "meta", "dims", "trace", "at", "body"] as const;

/** Damage to one row. */
export interface RowDamage extends Change {
  readonly part: (typeof parts)[number];
  /** Of the entry; none: the head is damaged. */
  readonly seq: number;
  /** What stands in the head's place, when that is one of another kind. */
  readonly head?: Uint8Array | undefined;
}

/** Counts what a store is asked, stops answering when that is too much, and gives some rows damaged. */
export class DamagedStore extends ForwardingStore {
  readonly #damaged: ReadonlyMap<RowId, RowDamage>;
  readonly #mostCalls: number;
  #stop: () => void = () => undefined;
  #last = "";
  /** Rows that were written. */
  readonly written: Set<RowId> = new Set<RowId>();
  /** How often the store was asked for anything. */
  calls: number = 0;

  constructor(inner: Store, damaged: ReadonlyMap<RowId, RowDamage>, mostCalls: number = Infinity) {
    super(inner);
    this.#damaged = damaged;
    this.#mostCalls = mostCalls;
  }

  /** What is done, unless somebody asks without end. */
  orOverrun<T>(work: Promise<T>): Promise<T> {
    const overrun = new Promise<never>((_, reject) => {
      this.#stop = () => {
        reject(new Error(`more than ${this.#mostCalls} calls of the store, the last one: ${this.#last}`));
      };
    });
    return Promise.race([work, overrun]);
  }

  override async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    await this.#count(`read ${row}`);
    const slice = await super.read(row, options);
    const damage = this.#damaged.get(row);
    if (slice === null || damage === undefined) return slice;
    if (damage.part === "head") return { ...slice, head: damage.head ?? changedBytes(slice.head, damage) };
    return { ...slice, entries: slice.entries.flatMap((entry) => damagedEntry(entry, damage)) };
  }

  override async scan(index: string, options: ScanOptions): Promise<ScanPage> {
    await this.#count(`scan ${index}`);
    return super.scan(index, options);
  }

  override async tail(options: TailOptions): Promise<FeedPage> {
    await this.#count("tail");
    const page = await super.tail(options);
    const entries = page.entries.flatMap((entry) => {
      const damage = this.#damaged.get(entry.row);
      return damage === undefined ? [entry] : damagedEntry(entry, damage);
    });
    return { ...page, entries };
  }

  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    await this.#count("append");
    for (const { row } of batch) this.written.add(row);
    return super.appendUntracked(batch, options);
  }

  /** Whoever asks without end is answered no more, so that the trial can say so. */
  async #count(what: string): Promise<void> {
    this.calls += 1;
    if (this.calls <= this.#mostCalls) return;
    this.#last = what;
    this.#stop();
    await new Promise(() => undefined);
  }
}

/** An entry as it is found after that: none when it is lost. */
export function damagedEntry<E extends StoredEntry>(entry: E, damage: RowDamage): readonly E[] {
  if (damage.part === "head" || entry.seq !== damage.seq) return [entry];
  switch (damage.part) {
    case "entry":
      return [];
    case "body":
      return [entry.body === undefined ? entry : { ...entry, body: changedBytes(entry.body, damage) }];
    case "at":
      return [
        {
          ...entry,
          at: { cut: Math.trunc(entry.at / 1000), flip: -entry.at, lose: 0, foreign: 2 ** 62 }[damage.change],
        },
      ];
    default:
      return [{ ...entry, [damage.part]: changedText(entry[damage.part], damage) }];
  }
}
