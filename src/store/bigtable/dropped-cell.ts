import type { RowId, Seq } from "../../model/row.ts";
import { corruptRow } from "../google/corrupt-row.ts";
import { droppedColumn } from "./keys.ts";
import type { BigtableRow } from "./read-rows.ts";

/** The seq below which entries of a row have no bodies any more, from its cell; 0: there is none. Errors: STORE_CORRUPT. */
export function droppedBelow({ cells }: BigtableRow, row: RowId): Seq {
  const cell = cells.get(droppedColumn);
  if (cell === undefined) return 0;
  const below = /^t1 (\d+)$/.exec(cell.toString("latin1"))?.[1];
  if (below === undefined) throw corruptRow(row, "its cell d cannot be read");
  return Number(below);
}

/** The text of that cell. */
export const encodeDropped = (below: Seq): string => `t1 ${below}`;
