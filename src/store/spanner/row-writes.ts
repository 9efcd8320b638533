import { TapeError } from "../../errors.ts";
import type { RowId, Seq } from "../../model/row.ts";
import { toSqlText } from "../sql/sql-text.ts";
import type { Append, Entry } from "../store.ts";
import type { KeySet, Mutation, WireList } from "./driver.ts";
import type { DroppedBodies } from "./dropped-bodies.ts";
import { headSeq, orderShard, rowKey, seqsBelow, seqsFrom } from "./keys.ts";
import { commitTime, sizeOf, wireList, type ColumnValue } from "./values.ts";

/** Bodies up to this size are kept in the entry's row: reading them costs nothing more. */
export const inlineBodyBytes: number = 64 * 1024;

/** What the service takes. */
export interface ServiceLimits {
  /** Changed columns of one commit. */
  readonly mutations: number;
  /** Bytes of one commit, as they are sent. */
  readonly commitBytes: number;
  /** Bytes of a BYTES value. */
  readonly cellBytes: number;
  /** Characters of a STRING value. */
  readonly textLength: number;
  /** Bytes of a key. */
  readonly keyBytes: number;
  /** Bytes of one part of a body that is kept apart. */
  readonly partBytes: number;
}

/** Source: Spanner's "Quotas and limits"; a little below, for what is not counted here. */
export const serviceLimits: ServiceLimits = Object.freeze({
  mutations: 78_000,
  commitBytes: 95 * 1024 * 1024,
  cellBytes: 10 * 1024 * 1024,
  textLength: 2_621_440,
  keyBytes: 8000,
  partBytes: 4 * 1024 * 1024,
});

/** Columns of the tables, in the order that values are given in. */
const columns = {
  rows: ["shard", "row_id", "version", "commit_id", "committed_at"],
  versions: ["shard", "row_id", "version", "commit_id"],
  entries: [
    "shard",
    "row_id",
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
    "body",
  ],
  heads: ["shard", "row_id", "seq", "at_ms", "commit_id", "head", "kind", "ref", "dims", "meta", "trace", "body_parts"],
  // Below which seq entries have no bodies any more, in the head's row.
  bodiless: ["shard", "row_id", "seq", "body_bytes"],
  emptied: ["shard", "row_id", "seq", "body"],
  bodies: ["shard", "row_id", "seq", "part", "body"],
  index: ["name", "shard", "key", "row_id"],
  feed: ["shard", "committed_at", "row_id", "first_seq", "entries"],
} as const;

type Place = keyof typeof columns;

const inEntries: ReadonlySet<Place> = new Set<Place>(["heads", "bodiless", "emptied"]);
const tableOf = (place: Place): string => `tape_${inEntries.has(place) ? "entries" : place}`;

type Change = "insert" | "update" | "insertOrUpdate";

/**
 * The order in which a commit makes its changes; those of different rows touch nothing of each other. A row is moved on
 * from its version by an update of the version's own row, which fails where that is not the row's version any more.
 */
const order: readonly (readonly [Change | "delete", Place])[] = [
  ["insert", "rows"],
  ["update", "versions"],
  ["update", "rows"],
  ["delete", "versions"],
  ["insert", "versions"],
  ["insert", "heads"],
  ["update", "heads"],
  ["update", "bodiless"],
  ["insert", "entries"],
  ["update", "emptied"],
  ["delete", "bodies"],
  ["insert", "bodies"],
  ["delete", "entries"],
  ["delete", "index"],
  ["insertOrUpdate", "index"],
  ["insert", "feed"],
];

/** What one append writes, and how much that is. */
export class RowWrites {
  readonly append: Append;
  /** As the service counts: one for each column of a row, one for a deletion. */
  mutations = 0;
  bytes = 0;
  readonly #written = new Map<string, WireList[]>();
  readonly #deleted = new Map<string, KeySet[]>();

  /**
   * @param limits For parts of bodies.
   * @param dropped Absent: it drops no bodies of earlier entries.
   */
  constructor(append: Append, limits: ServiceLimits, dropped?: DroppedBodies) {
    this.append = append;
    const { row, expect, commitId, head, entries, trimBelow } = append;
    const key = rowKey(row);
    if (expect > 0) {
      this.#write("update", "versions", [...key, expect, commitId]);
      this.#delete("versions", { keys: [wireList([...key, expect])] });
    }
    const change = expect === 0 ? "insert" : "update";
    this.#write(change, "rows", [...key, expect + 1, commitId, commitTime]);
    this.#write(change, "heads", [...key, headSeq, expect + 1, commitId, head, "head", "", "", "", "", 0]);
    this.#write("insert", "versions", [...key, expect + 1, commitId]);
    for (const entry of entries) this.#writeEntry(entry, limits);
    // The emulator runs out of memory over a range whose end is not behind its start.
    if (trimBelow !== undefined && trimBelow > 1) this.#delete("entries", seqsBelow(row, trimBelow));
    if (dropped !== undefined) this.#drop(dropped, emptiedInCommit(limits));
    this.#writeIndex();
    const [first] = entries;
    if (first !== undefined) {
      this.#write("insert", "feed", [orderShard(row), commitTime, row, first.seq, entries.length]);
    }
  }

  /** Why the service would not take it, however often it is sent. */
  refusal(limits: ServiceLimits): TapeError | undefined {
    const { row, head, entries, index } = this.append;
    const refused = (what: string, size: number, limit: number): TapeError =>
      new TapeError("SIZE_LIMIT", `row ${row}: ${what} of ${size} is more than Spanner's limit of ${limit}`);
    if (head.byteLength > limits.cellBytes) return refused("a head", head.byteLength, limits.cellBytes);
    const keyBytes = Math.max(0, ...index.add.map(({ index: name, key }) => name.length + key.length)) + row.length;
    if (keyBytes > limits.keyBytes) return refused("a key", keyBytes, limits.keyBytes);
    const text = Math.max(0, ...entries.flatMap(({ ref, dims, meta }) => [ref.length, dims.length, meta.length]));
    if (text > limits.textLength) return refused("a text", text, limits.textLength);
    if (this.mutations > limits.mutations)
      return refused("a number of changed columns", this.mutations, limits.mutations);
    if (this.bytes > limits.commitBytes) return refused("a commit", this.bytes, limits.commitBytes);
    return undefined;
  }

  /** Values written so to a table. */
  written(change: Change, place: Place): readonly WireList[] {
    return this.#written.get(`${change} ${place}`) ?? [];
  }

  /** What is deleted from a table. */
  deleted(place: Place): readonly KeySet[] {
    return this.#deleted.get(place) ?? [];
  }

  #writeEntry(entry: Entry, { partBytes }: ServiceLimits): void {
    const { seq, kind, ref, dims, meta, at, trace } = entry;
    const body = seq < (this.append.dropBodiesBelow ?? 0) ? undefined : entry.body;
    const key = [...rowKey(this.append.row), seq];
    const isApart = body !== undefined && body.byteLength > inlineBodyBytes;
    const parts = isApart ? partsOf(body, partBytes) : [];
    const texts = [kind, ref, dims, meta].map(toSqlText);
    const inline = isApart ? null : (body ?? null);
    this.#write("insert", "entries", [
      ...key,
      ...texts,
      at,
      trace,
      this.append.commitId,
      body?.byteLength ?? null,
      parts.length,
      inline,
    ]);
    for (const [part, bytes] of parts.entries()) this.#write("insert", "bodies", [...key, part, bytes]);
  }

  #drop({ from, below, inline }: DroppedBodies, mostEmptied: number): void {
    const key = rowKey(this.append.row);
    this.#write("update", "bodiless", [...key, headSeq, below]);
    for (const seq of inline.slice(0, mostEmptied)) this.#write("update", "emptied", [...key, seq, null]);
    this.#delete("bodies", seqsFrom(this.append.row, from, below));
  }

  #writeIndex(): void {
    const { row, index } = this.append;
    const keyOf = (name: string, key: string): readonly ColumnValue[] => [name, orderShard(row), key, row];
    const added = new Set(index.add.map(({ index: name, key }) => `${name}\n${key}`));
    const removed = index.remove.filter(({ index: name, key }) => !added.has(`${name}\n${key}`));
    if (removed.length > 0) {
      this.#delete("index", { keys: removed.map(({ index: name, key }) => wireList(keyOf(name, key))) });
    }
    for (const { index: name, key } of index.add) this.#write("insertOrUpdate", "index", keyOf(name, key));
  }

  #write(change: Change, place: Place, values: readonly ColumnValue[]): void {
    const row = wireList(values);
    this.mutations += values.length;
    this.bytes += sizeOf(row);
    const name = `${change} ${place}`;
    const rows = this.#written.get(name);
    if (rows === undefined) this.#written.set(name, [row]);
    else rows.push(row);
  }

  #delete(place: Place, keySet: KeySet): void {
    this.mutations += keySet.keys?.length ?? 1;
    this.bytes += (keySet.keys ?? []).reduce((sum, key) => sum + sizeOf(key), 64);
    this.#deleted.set(place, [...(this.#deleted.get(place) ?? []), keySet]);
  }
}

/**
 * Bodies in entries' rows that go in the commit itself, each as four changed columns; nobody reads the others from then on,
 * and they go right after it.
 */
export const emptiedInCommit = ({ mutations }: ServiceLimits): number => Math.floor(mutations / 8);

/** The changes that empty the rows of these entries. */
export const emptyingOf = (row: RowId, seqs: readonly Seq[]): readonly Mutation[] => {
  const values = seqs.map((seq) => wireList([...rowKey(row), seq, null]));
  return values.length === 0 ? [] : [{ update: { table: "tape_entries", columns: columns.emptied, values } }];
};

/** The changes of one commit for all of these. */
export function mutationsOf(writes: readonly RowWrites[]): readonly Mutation[] {
  return order.flatMap(([change, place]): readonly Mutation[] => {
    const table = tableOf(place);
    if (change === "delete") {
      return writes.flatMap((one) => one.deleted(place)).map((keySet) => ({ delete: { table, keySet } }));
    }
    const values = writes.flatMap((one) => one.written(change, place));
    if (values.length === 0) return [];
    const write = { table, columns: columns[place], values };
    switch (change) {
      case "insert":
        return [{ insert: write }];
      case "update":
        return [{ update: write }];
      default:
        return [{ insertOrUpdate: write }];
    }
  });
}

/** Groups that one commit each takes. */
export function commitGroups(writes: readonly RowWrites[], limits: ServiceLimits): readonly (readonly RowWrites[])[] {
  const groups: RowWrites[][] = [];
  let room = { mutations: 0, bytes: 0 };
  for (const one of writes) {
    const group = groups.at(-1);
    if (group === undefined || one.mutations > room.mutations || one.bytes > room.bytes) {
      groups.push([one]);
      room = { mutations: limits.mutations, bytes: limits.commitBytes };
    } else {
      group.push(one);
    }
    room = { mutations: room.mutations - one.mutations, bytes: room.bytes - one.bytes };
  }
  return groups;
}

const partsOf = (body: Uint8Array, partBytes: number): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(body.byteLength / partBytes) }, (_, part) =>
    body.subarray(part * partBytes, (part + 1) * partBytes),
  );
