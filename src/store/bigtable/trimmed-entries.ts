import type { Seq } from "../../model/row.ts";
import type { Append } from "../store.ts";
import { columns, newest } from "./cells.ts";
import { entryColumn, type Keys } from "./keys.ts";
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
  const filter = newest(columns(entryColumn(1), entryColumn(trimBelow - 1)));
  const [read] = await table.read({ keys: [keys.row(row)], filter });
  if (read === undefined) return nothing;
  const entries = entriesIn(read, row);
  const announcements = new Map<string, { readonly ms: number; readonly commitId: string }>();
  let bytes = 0;
  for (const { entry, body, feedMs } of entries) {
    announcements.set(`${feedMs} ${entry.commitId}`, { ms: feedMs, commitId: entry.commitId });
    const inline = body === undefined || body.apart !== undefined ? 0 : body.bytes;
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
