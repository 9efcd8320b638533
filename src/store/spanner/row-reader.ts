import type { TapeError } from "../../errors.ts";
import type { RowId, Seq } from "../../model/row.ts";
import { fromSqlText } from "../sql/sql-text.ts";
import { SharedReads } from "../shared-reads.ts";
import { storedVersion } from "../stored-version.ts";
import type { ReadOptions, RowSlice } from "../store.ts";
import { corruptRow } from "../google/corrupt-row.ts";
import type { Database } from "./database.ts";
import type { KeyRange } from "./driver.ts";
import { bodyParts, headKey, headSeq, seqRange, seqsAfter } from "./keys.ts";
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
const withBody = [...withHead, "body"];

/** A row that is asked for: its head, and the entries behind one seq, up to another. */
interface Ask {
  readonly row: RowId;
  readonly after: Seq;
  /** 0: none. Infinity: all. */
  readonly upTo: Seq;
}

/** What was read of a row, in order, and as of when. */
interface Found {
  readonly rows: readonly ResultRow[];
  readonly at: Moment;
}

/** In one call: heads are small; a row may have many entries; bodies are asked for of a few entries each. */
const most = { heads: 100, wholes: 16, bodied: 50 } as const;

/** Reads rows, as of now: every append that was acknowledged before is seen. */
export class RowReader {
  readonly #database: Database;
  readonly #heads: SharedReads<Ask, Found>;
  readonly #wholes: SharedReads<Ask, Found>;
  readonly #bodied: SharedReads<Ask, Found>;

  constructor(database: Database) {
    this.#database = database;
    this.#heads = new SharedReads({ readAll: (asked) => this.#readAll(asked, withHead), most: most.heads });
    this.#wholes = new SharedReads({ readAll: (asked) => this.#readAll(asked, withHead), most: most.wholes });
    this.#bodied = new SharedReads({ readAll: (asked) => this.#readAll(asked, withBody), most: most.bodied });
  }

  /** See {@link Store.read}. One round trip, and one more where bodies are kept apart. */
  async read(row: RowId, { after = 0, limit = Infinity, bodies = false }: ReadOptions): Promise<RowSlice | null> {
    const ask: Ask = { row, after, upTo: limit === 0 ? 0 : after + limit };
    const { rows, at } = await this.#find(ask, limit, bodies && limit > 0);
    const [head, ...rest] = rows;
    if (head === undefined) return null;
    if (head.number(0) !== headSeq) throw corruptRow(row, "its head is missing");
    // See `dropped-bodies.ts`.
    const bodiesFrom = head.isNull(8) ? 0 : head.number(8);
    if (!Number.isSafeInteger(bodiesFrom)) throw corruptRow(row, "where its bodies begin is damaged");
    const kept = rest.map((entry) => keptEntry(entry, bodiesFrom));
    const entries = bodies ? await this.#withBodies(row, kept, bodiesFrom, at) : kept.map(({ entry }) => entry);
    return {
      version: storedVersion(head.number(5), row),
      commitId: head.text(7),
      head: head.bytes(headColumn),
      entries,
    };
  }

  async #find(ask: Ask, limit: number, bodies: boolean): Promise<Found> {
    if (limit === 0) return this.#heads.read(ask);
    if (limit === Infinity) return (bodies ? this.#bodied : this.#wholes).read(ask);
    if (bodies) {
      const found = await this.#bodied.read(ask);
      // Where the first entries were trimmed, as many as are asked for begin later.
      if (found.rows[1]?.number(0) === ask.after + 1) return found;
    }
    const columns = bodies ? withBody : withHead;
    const ranges = rangesOf({ ...ask, upTo: Infinity });
    return this.#database.read({ table: "tape_entries", columns, keySet: { ranges }, limit: limit + 1 });
  }

  async #readAll(asked: readonly Ask[], columns: readonly string[]): Promise<readonly Found[]> {
    const keySet = { ranges: asked.flatMap(rangesOf) };
    const read = { table: "tape_entries", columns: [...columns, "row_id"], keySet };
    const { rows, at } = await this.#database.read(read);
    const found = new Map<string, ResultRow[]>();
    for (const one of rows) {
      const row = one.text(columns.length);
      const before = found.get(row);
      if (before === undefined) found.set(row, [one]);
      else before.push(one);
    }
    // Of one row several may have asked for different entries.
    return asked.map((ask) => ({ rows: (found.get(ask.row) ?? []).filter((one) => isOf(ask, one.number(0))), at }));
  }

  /** Bodies as of the same moment. */
  async #withBodies(
    row: RowId,
    kept: readonly KeptEntry[],
    bodiesFrom: Seq,
    at: Moment,
  ): Promise<readonly SliceEntry[]> {
    const apart = kept.filter(({ parts }) => parts > 0).map(({ entry }) => entry.seq);
    const parts = await this.#bodiesApart(row, apart, at);
    return kept.map((one): SliceEntry => {
      const { entry, bodyBytes } = one;
      if (bodyBytes === undefined) {
        if (one.parts > 0 || (entry.seq >= bodiesFrom && !one.inline.isNull(bodyColumn)))
          throw damagedBody(row, entry.seq);
        return entry;
      }
      const found = parts.get(entry.seq) ?? [];
      const body = one.parts === 0 ? one.inline.bytes(bodyColumn) : joined(found);
      if (body.byteLength !== bodyBytes) throw damagedBody(row, entry.seq);
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

const rangesOf = ({ row, after, upTo }: Ask): readonly KeyRange[] => {
  if (upTo === 0) return [headKey(row)];
  return [headKey(row), upTo === Infinity ? seqsAfter(row, after) : seqRange(row, after + 1, upTo)];
};

const isOf = ({ after, upTo }: Ask, seq: Seq): boolean => seq === headSeq || (seq > after && seq <= upTo);

const damagedBody = (row: RowId, seq: Seq): TapeError => corruptRow(row, `the body of its entry ${seq} is damaged`);

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
