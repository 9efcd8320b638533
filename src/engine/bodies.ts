import { decodeBody } from "../codec/body.ts";
import type { BodyLookup } from "../journal/row.ts";
import type { RowId, Seq } from "../model/row.ts";
import type { Store } from "../store/store.ts";

/** Neighbouring entries are fetched by one read when that reads at most this many entries for each one wanted. */
const widestGap = 4;
/** Entries of one read: bodies may be large. */
const longestRange = 256;

/** Bodies that are wanted of one row, in the turn of the event loop in which the first of them was. */
interface Batch {
  readonly seqs: Set<Seq>;
  readonly bodies: Promise<ReadonlyMap<Seq, readonly string[] | null>>;
}

/**
 * Reads bodies for answers. A commit that a thousand calls have waited for makes a thousand answers at once, each of which
 * wants its own entry back: what is wanted of a row in one turn of the event loop is read together.
 */
export class BodyReader {
  readonly #store: Store;
  readonly #batches = new Map<RowId, Batch>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** {@link readBodies}; the answer may hold more than was asked for. */
  async read(row: RowId, seqs: readonly Seq[], kept: BodyLookup): Promise<ReadonlyMap<Seq, readonly string[] | null>> {
    const batch = this.#batches.get(row) ?? this.#begin(row, kept);
    for (const seq of seqs) batch.seqs.add(seq);
    try {
      return await batch.bodies;
    } catch (error) {
      // A damaged body of another answer is not this one's matter.
      if (batch.seqs.size === seqs.length) throw error;
      return readBodies(this.#store, row, seqs, kept);
    }
  }

  #begin(row: RowId, kept: BodyLookup): Batch {
    const seqs = new Set<Seq>();
    const bodies = Promise.resolve().then(() => {
      this.#batches.delete(row);
      return readBodies(this.#store, row, [...seqs], kept);
    });
    const batch = { seqs, bodies };
    this.#batches.set(row, batch);
    return batch;
  }
}

/** Reads the bodies of these entries; entries without one, or that are gone, give `null`. Errors: STORE_CORRUPT. */
export async function readBodies(
  store: Store,
  row: RowId,
  seqs: readonly Seq[],
  kept: BodyLookup,
): Promise<Map<Seq, readonly string[] | null>> {
  const bodies = new Map<Seq, readonly string[] | null>();
  const missing: Seq[] = [];
  for (const seq of seqs) {
    const known = kept(seq);
    if (known === undefined) missing.push(seq);
    else bodies.set(seq, known);
  }
  if (missing.length === 0) return bodies;
  for (const { first, last } of ranges(missing)) {
    const slice = await store.read(row, { after: first - 1, limit: last - first + 1, bodies: true });
    for (const entry of slice?.entries ?? []) {
      bodies.set(
        entry.seq,
        entry.body === undefined ? null : decodeBody(entry.body, `entry ${entry.seq} of row ${row}`),
      );
    }
  }
  for (const seq of missing) if (!bodies.has(seq)) bodies.set(seq, null);
  return bodies;
}

function ranges(seqs: readonly Seq[]): { first: Seq; last: Seq }[] {
  const found: { first: Seq; last: Seq }[] = [];
  for (const seq of seqs.toSorted((a, b) => a - b)) {
    const current = found.at(-1);
    const isNear = current !== undefined && seq - current.last <= widestGap && seq - current.first < longestRange;
    if (isNear) current.last = seq;
    else found.push({ first: seq, last: seq });
  }
  return found;
}
