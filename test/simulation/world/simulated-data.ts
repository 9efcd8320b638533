import { MemoryData } from "../../../src/store/memory/memory-data.ts";
import type { Append, AppendOutcome, RowId, ScanOptions, ScanPage } from "../../../src/store/store.ts";
import { SimulatedIndex } from "./simulated-index.ts";

/** Told of everything that becomes durable, at that moment. */
export interface CommitListener {
  committed(append: Append): void;
  /** The keys of a row have changed. */
  indexChanged(row: RowId): void;
}

/** What the simulated servers share: rows and feed of the memory store, and an index of its own. */
export class SimulatedData {
  readonly rows: MemoryData = new MemoryData();
  readonly index: SimulatedIndex = new SimulatedIndex();
  /** Who wants to know; set once, before anything happens. */
  listener: CommitListener | null = null;

  commit(append: Append, indexToo: boolean): AppendOutcome {
    const [outcome] = this.rows.append([{ ...append, index: { add: [], remove: [] } }]);
    if (outcome === undefined) throw new RangeError("an append without an outcome");
    if (outcome.kind !== "committed") return outcome;
    if (indexToo) {
      this.removeKeys(append);
      this.#add(append);
    }
    this.listener?.committed(append);
    return outcome;
  }

  addKeys(append: Append): void {
    this.#add(append);
    this.listener?.indexChanged(append.row);
  }

  removeKeys({ row, expect, index: { add, remove } }: Append): void {
    for (const key of remove) {
      if (!add.some((added) => added.index === key.index && added.key === key.key)) {
        this.index.remove(row, key, expect + 1);
      }
    }
  }

  /** Another process changes nothing but the version of this row. */
  touch(row: RowId, commitId: string): void {
    const slice = this.rows.read(row, { limit: 0 });
    if (slice === null) return;
    const { version: expect, head } = slice;
    this.commit({ row, expect, commitId, head, entries: [], index: { add: [], remove: [] } }, false);
  }

  scan(index: string, options: ScanOptions): ScanPage {
    return this.index.scan(index, options);
  }

  #add({ row, expect, index }: Append): void {
    for (const key of index.add) this.index.add(row, key, expect + 1);
  }
}
