import type { Seq } from "../../model/row.ts";
import type { Append } from "../store.ts";
import { anyOf, column, columns, newest } from "./cells.ts";
import { droppedBelow } from "./dropped-cell.ts";
import { droppedColumn, entryColumn, type Keys } from "./keys.ts";
import { entriesIn } from "./row-reader.ts";
import type { RowMark } from "./row-mark.ts";
import type { Table } from "./table.ts";

/** What an append removes. */
export interface TrimmedEntries {
  readonly seqs: readonly Seq[];
  /** Bytes that become free in the row. */
  readonly bytes: number;
  /** The feed keys that announced them. */
  readonly announcements: readonly { readonly ms: number; readonly commitId: string }[];
  /** Bodies of theirs that are kept apart. */
  readonly apart: readonly { readonly seq: Seq; readonly hash: string }[];
}

const nothing: TrimmedEntries = { seqs: [], bytes: 0, announcements: [], apart: [] };

/** Reads what an append removes; that cannot change while the row is at the version that the append expects. */
export async function readTrimmed(
  table: Table,
  keys: Keys,
  { row, trimBelow = 0 }: Append,
  mark: RowMark,
): Promise<TrimmedEntries> {
  if (trimBelow <= 1 || mark.version === 0) return nothing;
  const range = columns(entryColumn(1), entryColumn(trimBelow - 1));
  const filter = newest(anyOf([column(droppedColumn), range]));
  const [read] = await table.read({ keys: [keys.row(row)], filter });
  if (read === undefined) return nothing;
  const entries = entriesIn(read, row);
  const bodiesFrom = droppedBelow(read, row);
  const announcements = new Map<string, { readonly ms: number; readonly commitId: string }>();
  let bytes = 0;
  for (const { entry, body, feedMs } of entries) {
    announcements.set(`${feedMs} ${entry.commitId}`, { ms: feedMs, commitId: entry.commitId });
    const inline = body === undefined || body.apart !== undefined || entry.seq < bodiesFrom ? 0 : body.bytes;
    bytes += inline + (read.cells.get(entryColumn(entry.seq))?.length ?? 0);
  }
  return {
    seqs: entries.map(({ entry }) => entry.seq),
    bytes,
    announcements: [...announcements.values()],
    apart: entries.flatMap(({ entry: { seq }, body }) =>
      body?.apart === undefined ? [] : [{ seq, hash: body.apart }],
    ),
  };
}

/** The bodies that an append removes, while their entries stay. */
export interface DroppedBodies {
  /** Entries with a smaller seq have no bodies afterwards; 0: the append drops none. */
  readonly below: Seq;
  /** Entries whose bodies live in the row. */
  readonly inline: readonly Seq[];
  /** Bytes that become free in the row. */
  readonly bytes: number;
  /** Bodies that are kept apart. */
  readonly apart: readonly { readonly seq: Seq; readonly hash: string }[];
}

const noBodies: DroppedBodies = { below: 0, inline: [], bytes: 0, apart: [] };

/** Reads what bodies an append removes; that cannot change while the row is at the version that the append expects. */
export async function readDropped(
  table: Table,
  keys: Keys,
  { row, trimBelow = 1, dropBodiesBelow = 0, entries }: Append,
  mark: RowMark,
): Promise<DroppedBodies> {
  // Not what is still to come.
  const below = Math.min(dropBodiesBelow, (entries.at(-1)?.seq ?? mark.lastSeq) + 1);
  if (below <= Math.max(1, trimBelow) || mark.version === 0) return noBodies;
  const range = columns(entryColumn(Math.max(1, trimBelow)), entryColumn(below - 1));
  const [read] = await table.read({ keys: [keys.row(row)], filter: newest(anyOf([column(droppedColumn), range])) });
  const before = read === undefined ? 0 : droppedBelow(read, row);
  if (read === undefined || before >= below) return noBodies;
  const inline: Seq[] = [];
  const apart: { readonly seq: Seq; readonly hash: string }[] = [];
  let bytes = 0;
  for (const { entry, body } of entriesIn(read, row)) {
    if (body === undefined || entry.seq < before) continue;
    if (body.apart !== undefined) {
      apart.push({ seq: entry.seq, hash: body.apart });
    } else {
      inline.push(entry.seq);
      bytes += body.bytes;
    }
  }
  return { below, inline, bytes, apart };
}
