import { TapeError } from "../../errors.ts";
import type { RowId, Seq } from "../../model/row.ts";
import { anyOf, column, columns, newest } from "./cells.ts";
import type { EntryCell } from "./entry-cell.ts";
import { droppedBelow } from "./dropped-cell.ts";
import { droppedColumn, entryColumn, markColumn, type Keys } from "./keys.ts";
import type { RowMark } from "./row-mark.ts";
import { entriesIn, markIn } from "./row-reader.ts";
import type { Table } from "./table.ts";

/**
 * A row as far as the feed asks for it: its mark and some of its entries, as of one moment. What of it is damaged is said,
 * and does not keep anybody from the rest: whoever reads the feed must get by it.
 */
export interface AnnouncedRow {
  /** `undefined`: the row has none, or it is damaged. */
  readonly mark: RowMark | undefined;
  readonly isMarkDamaged: boolean;
  /** Entries below this seq have no bodies any more. */
  readonly bodiesFrom: Seq;
  readonly entries: ReadonlyMap<Seq, EntryCell>;
  /** Entries that are there and cannot be read. */
  readonly damaged: ReadonlySet<Seq>;
}

/** Entries of a row that are asked for. */
export interface AnnouncedEntries {
  readonly row: RowId;
  readonly first: Seq;
  readonly count: number;
}

/** Rows of one call, whose filter is the same for all of them. */
const rowsPerCall = 64;
/** Ranges of columns in one filter. */
const mostRanges = 20;
/** Columns that are not asked for and come along, rather than a further range. */
const gap = 8;

type Interval = readonly [Seq, Seq];

/** Reads marks and entries of several rows. Errors: FORMAT_NEWER; what is newer is a newer server's to give, and to wait for. */
export async function readAnnounced(
  table: Table,
  keys: Keys,
  wanted: readonly AnnouncedEntries[],
): Promise<ReadonlyMap<RowId, AnnouncedRow>> {
  const byRow = new Map<RowId, AnnouncedEntries[]>();
  for (const one of wanted) {
    const others = byRow.get(one.row);
    if (others === undefined) byRow.set(one.row, [one]);
    else others.push(one);
  }
  const found = new Map<RowId, AnnouncedRow>();
  const read = async (rows: readonly RowId[]): Promise<void> => {
    const intervals = merged(rows.flatMap((row) => (byRow.get(row) ?? []).map(intervalOf)));
    const half = Math.ceil(rows.length / 2);
    if (rows.length > rowsPerCall || (intervals.length > mostRanges && rows.length > 1)) {
      await Promise.all([read(rows.slice(0, half)), read(rows.slice(half))]);
      return;
    }
    const names = new Map(rows.map((row) => [keys.row(row), row]));
    const ranges = intervals.map(([from, to]) => columns(entryColumn(from), entryColumn(to)));
    const filter = newest(anyOf([column(markColumn), column(droppedColumn), ...ranges]));
    for (const one of await table.read({ keys: [...names.keys()], filter })) {
      const row = names.get(one.key);
      if (row === undefined) continue;
      const damaged = new Set<Seq>();
      const entries = entriesIn(one, row, (seq, error) => {
        mustBeDamage(error);
        damaged.add(seq);
      });
      const mark = unlessDamaged(() => markIn(one, row) ?? null);
      found.set(row, {
        mark: mark ?? undefined,
        isMarkDamaged: mark === undefined,
        bodiesFrom: unlessDamaged(() => droppedBelow(one, row)) ?? 0,
        entries: new Map(entries.map((cell) => [cell.entry.seq, cell])),
        damaged,
      });
    }
  };
  if (byRow.size > 0) await read([...byRow.keys()]);
  return found;
}

function mustBeDamage(error: unknown): void {
  if (!(error instanceof TapeError && error.reason === "STORE_CORRUPT")) throw error;
}

function unlessDamaged<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    mustBeDamage(error);
    return undefined;
  }
}

const intervalOf = ({ first, count }: AnnouncedEntries): Interval => [first, first + count - 1];

/** Intervals that touch, or nearly do, as one. */
function merged(intervals: readonly Interval[]): readonly Interval[] {
  const found: Interval[] = [];
  for (const [from, to] of intervals.toSorted(([a], [b]) => a - b)) {
    const last = found.at(-1);
    if (last !== undefined && from <= last[1] + gap) found[found.length - 1] = [last[0], Math.max(last[1], to)];
    else found.push([from, to]);
  }
  return found;
}
