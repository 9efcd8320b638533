import type { RowId, Seq } from "../../model/row.ts";
import { SharedReads } from "../shared-reads.ts";
import type { ReadOptions, RowSlice, StoredEntry } from "../store.ts";
import { anyOf, chain, column, columns, first, newest } from "./cells.ts";
import { decodeEntry, type EntryCell } from "./entry-cell.ts";
import { droppedBelow } from "./dropped-cell.ts";
import { bodyColumn, droppedColumn, entryColumn, headColumn, markColumn, seqOfColumn, type Keys } from "./keys.ts";
import type { Filter } from "./driver.ts";
import type { BigtableRow } from "./read-rows.ts";
import { readApart } from "./row-bodies.ts";
import { corruptRow } from "../google/corrupt-row.ts";
import { decodeMark, type RowMark } from "./row-mark.ts";
import type { RowMarks } from "./row-marks.ts";
import type { Table } from "./table.ts";

/** No row has more entries. */
export const lastSeq: Seq = 9_999_999_999;
const empty = Buffer.alloc(0);
/** A row whose entries are trimmed again and again while they are read. */
const mostTries = 5;

/** What is read of several rows in one call, and of how many. */
interface SharedRead {
  readonly filter: Filter;
  readonly mostRows: number;
}

/** Heads are small; a row may have many entries. */
const heads: SharedRead = { filter: newest(anyOf([column(markColumn), column(headColumn)])), mostRows: 100 };
const wholes: SharedRead = {
  filter: newest(anyOf([column(markColumn), column(headColumn), columns(entryColumn(1), entryColumn(lastSeq))])),
  mostRows: 16,
};

type Slice = NonNullable<Awaited<ReturnType<RowReader["read"]>>>;

/** Reads rows. */
export class RowReader {
  readonly #table: Table;
  readonly #keys: Keys;
  readonly #marks: RowMarks;
  readonly #heads: SharedReads<RowId, BigtableRow | undefined>;
  readonly #wholes: SharedReads<RowId, BigtableRow | undefined>;

  /** @param marks Learn what was read. */
  constructor(table: Table, keys: Keys, marks: RowMarks) {
    this.#table = table;
    this.#keys = keys;
    this.#marks = marks;
    this.#heads = this.#shared(heads);
    this.#wholes = this.#shared(wholes);
  }

  /** See {@link Store.read}. One round trip, and one more where bodies are kept apart. */
  async read(row: RowId, { after = 0, limit = Infinity, bodies = false }: ReadOptions): Promise<RowSlice | null> {
    for (let tries = 1; ; tries += 1) {
      const found = await this.#readCells(row, after, limit, bodies && limit > 0);
      if (found === undefined) return null;
      const { mark, head, cells } = found;
      if (!bodies)
        return sliceOf(
          mark,
          head,
          cells.map(({ entry }) => entry),
        );
      const entries = await this.#withBodies(row, cells, found.row);
      if (entries !== undefined) return sliceOf(mark, head, entries);
      // Trimmed or dropped between the two looks: the next one sees that.
      if (tries === mostTries) throw corruptRow(row, "a body of it is missing");
    }
  }

  #shared({ filter, mostRows }: SharedRead): SharedReads<RowId, BigtableRow | undefined> {
    const readAll = async (rows: readonly RowId[]): Promise<readonly (BigtableRow | undefined)[]> => {
      const keys = rows.map((row) => this.#keys.row(row));
      const read = await this.#table.read({ keys: [...new Set(keys)], filter });
      const found = new Map(read.map((row) => [row.key, row]));
      return keys.map((key) => found.get(key));
    };
    return new SharedReads({ readAll, most: mostRows });
  }

  async #readCells(
    row: RowId,
    after: Seq,
    limit: number,
    bodies: boolean,
  ): Promise<{ mark: RowMark; head: Buffer; cells: readonly EntryCell[]; row: BigtableRow } | undefined> {
    const read = limit === 0 ? await this.#heads.read(row) : await this.#readEntries(row, after, limit, bodies);
    const mark = markIn(read, row);
    this.#marks.learn(row, mark);
    if (read === undefined || mark === undefined || mark.version === 0) return undefined;
    return { mark, head: read.cells.get(headColumn) ?? empty, cells: entriesIn(read, row), row: read };
  }

  /** With mark and head. */
  async #readEntries(row: RowId, after: Seq, limit: number, bodies: boolean): Promise<BigtableRow | undefined> {
    if (after === 0 && limit === Infinity && !bodies) return this.#wholes.read(row);
    const range = columns(entryColumn(after + 1), entryColumn(lastSeq));
    // Entries have no gaps but at the beginning, where they were trimmed, so a limit cannot be told as a range.
    const entries = Number.isFinite(limit) ? chain(newest(range), first(limit)) : range;
    const wanted: Filter[] = [column(markColumn), column(headColumn), entries];
    if (bodies) {
      wanted.push(column(droppedColumn), columns(bodyColumn(after + 1), bodyColumn(Math.min(lastSeq, after + limit))));
    }
    const [read] = await this.#table.read({ keys: [this.#keys.row(row)], filter: newest(anyOf(wanted)) });
    return read;
  }

  /** `undefined`: one of them has gone meanwhile. */
  async #withBodies(
    row: RowId,
    stored: readonly EntryCell[],
    read: BigtableRow,
  ): Promise<readonly (StoredEntry & { readonly commitId: string })[] | undefined> {
    const bodiesFrom = droppedBelow(read, row);
    const cells = stored.map((cell) => (cell.entry.seq < bodiesFrom ? { ...cell, body: undefined } : cell));
    const isMissing = ({ entry, body }: EntryCell): boolean =>
      body !== undefined && body.apart === undefined && !read.cells.has(bodyColumn(entry.seq));
    // Where the first entries were trimmed, the columns of bodies began too early.
    const missing = cells.filter(isMissing).map(({ entry }) => entry.seq);
    const more = await this.#inlineBodies(row, missing);
    const apart = await readApart(
      this.#table,
      this.#keys,
      row,
      cells.flatMap(({ entry: { seq }, body }) =>
        body?.apart === undefined ? [] : [{ seq, hash: body.apart, bytes: body.bytes }],
      ),
    );
    const entries: (StoredEntry & { readonly commitId: string })[] = [];
    for (const { entry, body } of cells) {
      if (body === undefined) {
        entries.push(entry);
        continue;
      }
      const name = bodyColumn(entry.seq);
      const bytes = body.apart === undefined ? (read.cells.get(name) ?? more.get(name)) : apart.get(entry.seq);
      if (bytes === undefined) return undefined;
      entries.push({ ...entry, body: plain(bytes) });
    }
    return entries;
  }

  async #inlineBodies(row: RowId, seqs: readonly Seq[]): Promise<ReadonlyMap<string, Buffer>> {
    const from = seqs[0];
    const to = seqs.at(-1);
    if (from === undefined || to === undefined) return new Map();
    const filter = newest(columns(bodyColumn(from), bodyColumn(to)));
    const [read] = await this.#table.read({ keys: [this.#keys.row(row)], filter });
    return read?.cells ?? new Map<string, Buffer>();
  }
}

function sliceOf(mark: RowMark, head: Buffer, entries: RowSlice["entries"]): Slice {
  return { version: mark.version, commitId: mark.commitId, head: plain(head), entries };
}

/** The same bytes, not as a Buffer: that compares and prints as something else. */
const plain = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The mark among a row's cells; undefined where there is none. */
export function markIn(read: BigtableRow | undefined, row: RowId): RowMark | undefined {
  const cell = read?.cells.get(markColumn);
  return cell === undefined ? undefined : decodeMark(cell, row);
}

/**
 * The entries among a row's cells, in order. `onDamage` says what becomes of those that cannot be read; absent: the row
 * cannot be read.
 */
export function entriesIn(
  read: BigtableRow,
  row: RowId,
  onDamage: (seq: Seq, error: unknown) => void = (_seq, error) => {
    throw error;
  },
): readonly EntryCell[] {
  const found: EntryCell[] = [];
  for (const [name, cell] of read.cells) {
    if (!name.startsWith("j")) continue;
    const seq = seqOfColumn(name);
    try {
      found.push(decodeEntry(cell, row, seq));
    } catch (error) {
      onDamage(seq, error);
    }
  }
  return found.toSorted((a, b) => a.entry.seq - b.entry.seq);
}
