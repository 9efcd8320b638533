import { decodeBody } from "../codec/body.ts";
import type { BodyLookup } from "../journal/row.ts";
import type { RowId, Seq } from "../model/row.ts";
import type { Store } from "../store/store.ts";

/** Neighbouring entries are fetched by one read when that reads at most this many entries for each one wanted. */
const widestGap = 4;

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
    if (current !== undefined && seq - current.last <= widestGap) current.last = seq;
    else found.push({ first: seq, last: seq });
  }
  return found;
}
