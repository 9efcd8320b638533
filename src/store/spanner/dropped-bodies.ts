import type { Seq } from "../../model/row.ts";
import type { Append } from "../store.ts";
import type { Database } from "./database.ts";
import { headKey, headSeq, seqRange } from "./keys.ts";

/** The bodies that an append removes, while their entries stay. */
export interface DroppedBodies {
  /** Entries from here on had bodies so far, and are not removed altogether. */
  readonly from: Seq;
  /** Entries with a smaller seq have no bodies afterwards. */
  readonly below: Seq;
  /** Entries whose bodies are in their rows. */
  readonly inline: readonly Seq[];
}

/**
 * Reads what bodies an append removes; that cannot change while the row is at the version that the append expects. The
 * head's row says below which seq bodies are gone, in the column where an entry's row has the size of its body.
 */
export async function readDropped(
  database: Database,
  { row, expect, entries, trimBelow = 1, dropBodiesBelow = 0 }: Append,
): Promise<DroppedBodies | undefined> {
  const first = Math.max(1, trimBelow);
  if (expect === 0 || dropBodiesBelow <= first) return undefined;
  const { rows } = await database.read({
    table: "tape_entries",
    columns: ["seq", "body_bytes", "body_parts"],
    keySet: { ranges: [headKey(row), seqRange(row, first, dropBodiesBelow - 1)] },
  });
  const head = rows.find((found) => found.number(0) === headSeq);
  const from = Math.max(first, head === undefined || head.isNull(1) ? 0 : head.number(1));
  // Not what is still to come.
  const below = Math.min(dropBodiesBelow, (entries.at(-1)?.seq ?? rows.at(-1)?.number(0) ?? headSeq) + 1);
  if (below <= from) return undefined;
  const inline = rows
    .filter((found) => found.number(0) >= from && !found.isNull(1) && found.number(2) === 0)
    .map((found) => found.number(0));
  return { from, below, inline };
}
