import { LRUCache } from "lru-cache";
import type { RowId } from "../../model/row.ts";
import type { Version } from "../store.ts";
import { noMark, type RowMark } from "./row-mark.ts";

const kept = 20_000;

/**
 * The marks of rows as they were last seen. Guesses: every commit is conditional on the mark that it was prepared with,
 * so one that is out of date costs a round trip and nothing else.
 */
export class RowMarks {
  readonly #marks = new LRUCache<RowId, RowMark>({ max: kept });

  /** What was found on the row; undefined: it is not there. */
  learn(row: RowId, mark: RowMark | undefined): void {
    if (mark === undefined) this.#marks.delete(row);
    else this.#marks.set(row, mark);
  }

  /** The mark of that version, if it is known. A row that is to be made is taken not to be there. */
  at(row: RowId, version: Version): RowMark | undefined {
    const mark = this.#marks.get(row);
    if (mark?.version === version) return mark;
    return version === 0 ? noMark : undefined;
  }
}
