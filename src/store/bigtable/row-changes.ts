import { TapeError } from "../../errors.ts";
import type { RowId } from "../../model/row.ts";
import type { StoreObserver } from "../store-observer.ts";
import type { Append, Entry } from "../store.ts";
import { deleteColumn, deleteFamily, setCell } from "./cells.ts";
import { encodeDropped } from "./dropped-cell.ts";
import type { Mutation } from "./driver.ts";
import { encodeEntry } from "./entry-cell.ts";
import { bodyColumn, droppedColumn, entryColumn, headColumn, markColumn, type Keys } from "./keys.ts";
import { keepBody, type KeptBody } from "./row-bodies.ts";
import { encodeMark, type RowMark } from "./row-mark.ts";
import type { DroppedBodies, TrimmedEntries } from "./removals.ts";

/** What a row may hold. */
export interface RowLimits {
  /** A row that is larger is reported, bytes. */
  readonly warnBytes: number;
  /** A row does not become larger, bytes. */
  readonly rowBytes: number;
  /** Beyond that, what is small is still taken up to here: a run that is full can be settled and ended. */
  readonly lastBytes: number;
  /** A cell is not larger, bytes: the service's hard limit is 100 MB. */
  readonly cellBytes: number;
  /** Changes in one commit at most; the service's own limit is 100,000. */
  readonly mutations: number;
}

const mebibyte = 1024 * 1024;

/** An append that adds no more than this, bytes, is small. */
const smallBytes = 8 * 1024;

/** The service's own limits are 256 MiB a row and 100 MB a cell. Source: its documentation, "Quotas and limits". */
export const serviceLimits: RowLimits = Object.freeze({
  warnBytes: 64 * mebibyte,
  rowBytes: 192 * mebibyte,
  lastBytes: 200 * mebibyte,
  cellBytes: 64 * mebibyte,
  mutations: 100_000,
});

/** An append with what is known about it before it is made. */
export interface Prepared {
  readonly append: Append;
  readonly mark: RowMark;
  readonly trimmed: TrimmedEntries;
  readonly dropped: DroppedBodies;
  /** The entries that it does not remove itself, without bodies that it drops itself. */
  readonly entries: readonly { readonly entry: Entry; readonly body: KeptBody }[];
}

/** Turns appends into changes of their rows, within the service's limits. */
export class RowChanges {
  readonly #keys: Keys;
  readonly #limits: RowLimits;
  readonly #observer: StoreObserver;
  /** The largest row seen, and rows that were reported. */
  #largest = 0;
  readonly #reported = new Set<RowId>();

  constructor(keys: Keys, limits: RowLimits, observer: StoreObserver) {
    this.#keys = keys;
    this.#limits = limits;
    this.#observer = observer;
  }

  /** Bodies whose cells go in the commit itself; nobody reads the others from then on, and they go right after it. */
  get deletionsInCommit(): number {
    return Math.floor(this.#limits.mutations / 2);
  }

  /** Why the row cannot take it; undefined: it can. */
  refusal(prepared: Prepared): TapeError | undefined {
    const { rowBytes, lastBytes, cellBytes, mutations: most } = this.#limits;
    const { row, head } = prepared.append;
    const { mutations, bytes } = changesOf(prepared, 0, this.deletionsInCommit);
    const size = bytes + head.byteLength;
    const room = bytes - prepared.mark.bytes <= smallBytes ? lastBytes : rowBytes;
    const refuse = (what: string, found: number, limit: number, advice: string): TapeError =>
      new TapeError("SIZE_LIMIT", `${what} (${found} of at most ${limit}): nothing was written; ${advice}`, {
        ids: { row, size: String(found), limit: String(limit) },
      });
    if (size > room) {
      const advice = "end this run and go on in a new one, or keep large payloads elsewhere and record where";
      return refuse(`row ${row} is full, in bytes`, size, room, advice);
    }
    if (mutations.length > most) {
      return refuse(`an append changes too much of row ${row} at once`, mutations.length, most, "do less in one call");
    }
    const largest = Math.max(
      ...mutations.map((mutation) => ("setCell" in mutation ? mutation.setCell.value.byteLength : 0)),
    );
    if (largest > cellBytes) {
      return refuse(
        `an entry or the head of row ${row} is too large, in bytes`,
        largest,
        cellBytes,
        "record less at once",
      );
    }
    return undefined;
  }

  /** Makes up how the entries of an append are kept. */
  entries({ row, entries, trimBelow = 0, dropBodiesBelow = 0 }: Append): Prepared["entries"] {
    return entries
      .filter(({ seq }) => seq >= trimBelow)
      .map((entry) => (entry.seq < dropBodiesBelow ? { ...entry, body: undefined } : entry))
      .map((entry) => ({ entry, body: keepBody(this.#keys, row, entry) }));
  }

  /** The changes of the commit itself, and the mark that the row has afterwards. */
  commit(prepared: Prepared, feedMs: number): { readonly mutations: readonly Mutation[]; readonly mark: RowMark } {
    const { append, mark } = prepared;
    const { mutations, bytes } = changesOf(prepared, feedMs, this.deletionsInCommit);
    const next: RowMark = {
      version: append.expect + 1,
      fence: 0,
      commitId: append.commitId,
      feedMs,
      bytes,
      lastSeq: append.entries.at(-1)?.seq ?? mark.lastSeq,
    };
    this.#watch(append.row, bytes + append.head.byteLength);
    return { mutations: [...mutations, setCell(markColumn, encodeMark(next))], mark: next };
  }

  #watch(row: RowId, bytes: number): void {
    if (bytes > this.#largest) {
      this.#largest = bytes;
      this.#observer.gauge("bigtable_largest_row_bytes", "Largest row that this server has written.", bytes);
    }
    if (bytes <= this.#limits.warnBytes || this.#reported.has(row)) return;
    this.#reported.add(row);
    this.#observer.warn(
      `row ${row} holds ${bytes} bytes, and no more than ${this.#limits.rowBytes} will be taken; end the run soon and go on in a new one`,
    );
  }
}

function changesOf(
  { append, mark, trimmed, dropped, entries }: Prepared,
  feedMs: number,
  mostDeletions: number,
): { readonly mutations: readonly Mutation[]; readonly bytes: number } {
  const { commitId, head, trimBelow = 0 } = append;
  const mutations: Mutation[] = [];
  let { bytes } = mark;
  if (trimmed.seqs.length > 0 && trimBelow > mark.lastSeq) {
    mutations.push(deleteFamily);
    bytes = 0;
  } else {
    for (const seq of trimmed.seqs) mutations.push(deleteColumn(entryColumn(seq)), deleteColumn(bodyColumn(seq)));
    bytes = Math.max(0, bytes - trimmed.bytes);
    if (dropped.below > 0) mutations.push(setCell(droppedColumn, encodeDropped(dropped.below)));
    for (const seq of dropped.inline.slice(0, mostDeletions)) mutations.push(deleteColumn(bodyColumn(seq)));
    bytes = Math.max(0, bytes - dropped.bytes);
  }
  mutations.push(setCell(headColumn, head));
  for (const { entry, body } of entries) {
    const cell = Buffer.from(encodeEntry(entry, commitId, feedMs, body.place), "utf8");
    mutations.push(setCell(entryColumn(entry.seq), cell), ...body.inline);
    bytes += cell.length + (body.inline.length > 0 ? (body.place?.bytes ?? 0) : 0);
  }
  return { mutations, bytes };
}
