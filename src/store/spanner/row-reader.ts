import { TapeError } from "../../errors.ts";
import type { RowId, Seq } from "../../model/row.ts";
import { fromSqlText } from "../sql/sql-text.ts";
import type { ReadOptions, RowSlice } from "../store.ts";
import type { Database } from "./database.ts";
import { bodyParts, headKey, headSeq, seqsAfter } from "./keys.ts";
import type { Moment, ResultRow } from "./values.ts";

type SliceEntry = RowSlice["entries"][number];

/** An entry as it is kept: where its body is, if it has one. */
interface KeptEntry {
  readonly entry: SliceEntry;
  readonly bodyBytes: number | undefined;
  /** 0: the body is with the entry. */
  readonly parts: number;
  readonly inline: ResultRow;
}

/** Columns of an entry without its body; what reads entries elsewhere asks for the same. */
export const entryColumns: readonly string[] = [
  "seq",
  "kind",
  "ref",
  "dims",
  "meta",
  "at_ms",
  "trace",
  "commit_id",
  "body_bytes",
  "body_parts",
];
const headColumn = entryColumns.length;
const bodyColumn = headColumn + 1;
const withHead = [...entryColumns, "head"];

/** Reads rows, as of now: every append that was acknowledged before is seen. */
export class RowReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** See {@link Store.read}. One round trip, and one more where bodies are kept apart. */
  async read(row: RowId, { after = 0, limit = Infinity, bodies = false }: ReadOptions): Promise<RowSlice | null> {
    const { rows, at } = await this.#database.read({
      table: "tape_entries",
      columns: bodies ? [...withHead, "body"] : withHead,
      keySet: { ranges: limit === 0 ? [headKey(row)] : [headKey(row), seqsAfter(row, after)] },
      ...(Number.isFinite(limit) ? { limit: limit + 1 } : {}),
    });
    const [head, ...rest] = rows;
    if (head === undefined || head.number(0) !== headSeq) return null;
    // See `dropped-bodies.ts`.
    const bodiesFrom = head.isNull(8) ? 0 : head.number(8);
    const kept = rest.map((entry) => keptEntry(entry, bodiesFrom));
    const entries = bodies ? await this.#withBodies(row, kept, at) : kept.map(({ entry }) => entry);
    return { version: head.number(5), commitId: head.text(7), head: head.bytes(headColumn), entries };
  }

  /** Bodies as of the same moment. */
  async #withBodies(row: RowId, kept: readonly KeptEntry[], at: Moment): Promise<readonly SliceEntry[]> {
    const apart = kept.filter(({ parts }) => parts > 0).map(({ entry }) => entry.seq);
    const parts = await this.#bodiesApart(row, apart, at);
    return kept.map((one): SliceEntry => {
      const { entry, bodyBytes } = one;
      if (bodyBytes === undefined) return entry;
      const found = parts.get(entry.seq) ?? [];
      const body = one.parts === 0 ? one.inline.bytes(bodyColumn) : joined(found);
      if (body.byteLength !== bodyBytes) {
        throw new TapeError("STORE_CORRUPT", `row ${row}: the body of its entry ${entry.seq} is damaged`);
      }
      return { ...entry, body };
    });
  }

  async #bodiesApart(row: RowId, seqs: readonly Seq[], at: Moment): Promise<ReadonlyMap<Seq, readonly Uint8Array[]>> {
    const found = new Map<Seq, Uint8Array[]>();
    if (seqs.length === 0) return found;
    const ranges = seqs.map((seq) => bodyParts(row, seq));
    const columns = ["seq", "part", "body"];
    const { rows } = await this.#database.read({ table: "tape_bodies", columns, keySet: { ranges } }, at);
    for (const part of rows.toSorted((a, b) => a.number(1) - b.number(1))) {
      const seq = part.number(0);
      found.set(seq, [...(found.get(seq) ?? []), part.bytes(2)]);
    }
    return found;
  }
}

/** An entry among {@link entryColumns}, whose first column is at `from`. */
export function entryOf(row: ResultRow, from = 0): SliceEntry {
  const text = (column: number): string => fromSqlText(row.text(from + column));
  return {
    seq: row.number(from),
    kind: text(1),
    ref: text(2),
    dims: text(3),
    meta: text(4),
    at: row.number(from + 5),
    trace: row.text(from + 6),
    commitId: row.text(from + 7),
    position: 0,
  };
}

const keptEntry = (row: ResultRow, bodiesFrom: Seq): KeptEntry => {
  const entry = entryOf(row);
  const isGone = entry.seq < bodiesFrom;
  return {
    entry,
    bodyBytes: isGone || row.isNull(8) ? undefined : row.number(8),
    parts: isGone ? 0 : row.number(9),
    inline: row,
  };
};

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
