import type { RowId, Seq } from "../../model/row.ts";
import { spread } from "../google/spread.ts";
import type { StoredKey } from "../store.ts";

/*
 * Names of rows and columns. All are printable ASCII. `#` ends a part; the characters from space to `$` are written with
 * a `$` before them, so that no part can reach into the next one and the order of the texts stays: `$` sorts above `#`.
 */

/** The one column family. */
export const family = "m";
/** Version, commit id and size of a row. */
export const markColumn = "v";
/** The head of a row. */
export const headColumn = "h";
/** The seq below which the entries of a row have no bodies any more. */
export const droppedColumn = "d";
/** The only column of an index key and of a feed key. */
export const keyColumn = "k";
/** A feed key with this column belongs to a commit that happened, though its entries have gone since. */
export const settledColumn = "c";

/** Ranges over which index and feed are spread, by a hash of the row they speak of. */
export const shards: readonly string[] = Array.from({ length: 16 }, (_, i) => i.toString(16));

/** Digits of a seq in a column name, and of a time in a feed key: wide enough that texts sort as numbers do. */
const seqDigits = 10;
const timeDigits = 13;

const escaped = (text: string): string => text.replace(/[ -$]/g, "$$$&");
const unescaped = (text: string): string => text.replace(/\$(.)/gs, "$1");

const twoDigits = (row: RowId): string => (spread(row) & 0xff).toString(16).padStart(2, "0");
const shardOf = (row: RowId): string => (spread(row) & 0xf).toString(16);
const fixed = (n: number, digits: number): string => String(n).padStart(digits, "0");

/** Column of an entry's envelope. */
export const entryColumn = (seq: Seq): string => `j${fixed(seq, seqDigits)}`;
/** Column of an entry's body, where the body lives in the row. */
export const bodyColumn = (seq: Seq): string => `b${fixed(seq, seqDigits)}`;
/** The seq that an entry's or body's column is of. */
export const seqOfColumn = (column: string): Seq => Number(column.slice(1));

/** A half-open range of row keys. */
export interface KeyRange {
  /** Inclusive, unless {@link afterStart}. */
  readonly start: string;
  readonly afterStart?: boolean;
  /** Exclusive. */
  readonly end: string;
}

/** A feed key's parts. */
export interface FeedKey {
  readonly ms: number;
  readonly row: RowId;
  readonly commitId: string;
}

/** The row keys of one journal. */
export class Keys {
  readonly #prefix: string;

  /** @param prefix Empty, or letters, digits and `_.-`; it ends at a `/`, which begins no key without a prefix. */
  constructor(prefix: string) {
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
  }

  /** The row that says which journal this is. */
  get meta(): string {
    return `${this.#prefix}meta#journal`;
  }

  row(row: RowId): string {
    return `${this.#prefix}r#${twoDigits(row)}#${row}`;
  }

  /** All rows, in the order of their hashes. */
  get rows(): KeyRange {
    return { start: `${this.#prefix}r#`, end: `${this.#prefix}r$` };
  }

  /** The row that a row key of {@link rows} is of. */
  parseRow(key: string): RowId {
    const [, , row = ""] = this.#parts(key, 3);
    return row as RowId;
  }

  /** A body that is kept apart, named by its content so that writing it twice makes one. */
  apart(row: RowId, seq: Seq, hash: string): string {
    return `${this.#prefix}o#${twoDigits(row)}#${escaped(row)}#${fixed(seq, seqDigits)}#${hash}`;
  }

  /** All bodies that are kept apart, behind one of them. */
  apartRange(after = ""): KeyRange {
    return this.#behind("o", after);
  }

  parseApart(key: string): { readonly row: RowId; readonly seq: Seq; readonly hash: string } {
    const [, , row = "", seq = "", hash = ""] = this.#parts(key, 5);
    return { row: unescaped(row) as RowId, seq: Number(seq), hash };
  }

  index(index: string, key: string, row: RowId): string {
    return this.indexItem(shardOf(row), index, key, row);
  }

  /** An item as it would be in this shard. */
  indexItem(shard: string, index: string, key: string, row: RowId): string {
    return `${this.#prefix}x#${shard}#${escaped(index)}#${escaped(key)}#${row}`;
  }

  /** The keys of an index in a shard, from one key (inclusive) to another (exclusive). */
  indexRange(shard: string, index: string, from: string, to: string | undefined): KeyRange {
    const space = `${this.#prefix}x#${shard}#${escaped(index)}`;
    return { start: `${space}#${escaped(from)}`, end: to === undefined ? `${space}$` : `${space}#${escaped(to)}` };
  }

  /** The keys of all indexes, behind one of them. */
  indexSpace(after = ""): KeyRange {
    return this.#behind("x", after);
  }

  /** All that an item's row key says. */
  parseItem(key: string): StoredKey {
    const [, , index = "", text = "", row = ""] = this.#parts(key, 5);
    return { index: unescaped(index), key: unescaped(text), row: row as RowId };
  }

  /** Index key and row of an item's row key. */
  parseIndex(key: string): { readonly key: string; readonly row: RowId } {
    const [, , , text = "", row = ""] = this.#parts(key, 5);
    return { key: unescaped(text), row: row as RowId };
  }

  feed({ ms, row, commitId }: FeedKey): string {
    return `${this.#prefix}f#${shardOf(row)}#${fixed(ms, timeDigits)}#${escaped(row)}#${commitId}`;
  }

  /** All feed keys from one time on. */
  feedRange(shard: string, fromMs: number): KeyRange {
    const space = `${this.#prefix}f#${shard}`;
    return { start: `${space}#${fixed(Math.max(0, fromMs), timeDigits)}`, end: `${space}$` };
  }

  parseFeed(key: string): FeedKey {
    const [, , ms = "", row = "", commitId = ""] = this.#parts(key, 5);
    return { ms: Number(ms), row: unescaped(row) as RowId, commitId };
  }

  /** The key without prefix, space and shard: what keys of all shards sort by. */
  order(key: string): string {
    return key.slice(this.#prefix.length + "x#0#".length);
  }

  /** A whole space, or what of it lies behind a key. */
  #behind(letter: string, after: string): KeyRange {
    const space = `${this.#prefix}${letter}`;
    return after === ""
      ? { start: `${space}#`, end: `${space}$` }
      : { start: after, afterStart: true, end: `${space}$` };
  }

  /** The parts between `#`; the last one keeps what it holds. */
  #parts(key: string, count: number): readonly string[] {
    const parts: string[] = [];
    let rest = key.slice(this.#prefix.length);
    while (parts.length < count - 1) {
      const at = endOfPart(rest);
      parts.push(rest.slice(0, at));
      rest = rest.slice(at + 1);
    }
    return [...parts, rest];
  }
}

function endOfPart(text: string): number {
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === "$") i += 1;
    else if (text[i] === "#") return i;
  }
  return text.length;
}
