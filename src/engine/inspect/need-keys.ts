import { timeKey, timeOfKey } from "../../codec/time-key.ts";
import type { Partition } from "../../codec/row-id.ts";
import { attention, type AttentionPart, type AttentionQuery } from "../../journal/run/attention.ts";
import { attentionIndexes } from "../../journal/run/index-keys.ts";
import { runRules } from "../../journal/run/rules.ts";
import type { RowId } from "../../model/row.ts";
import type { ScanItem, Store } from "../../store/store.ts";
import type { Pipeline } from "../pipeline.ts";
import type { DamagedRows } from "../damaged-rows.ts";
import { plainCall } from "../row-slot.ts";

const scanPage = 64;
/** Runs that are asked for nothing, at most, once there is something to go on from. */
const mostMisses = 1000;

/** Where a thing stands in the list over all kinds: since when, then kind, row, and place in the row. */
export type NeedPlace = readonly [sinceMs: number, kind: number, row: RowId | "", seq: number];

/** One thing that needs a human, where it stands. */
export interface PlacedNeed {
  readonly place: NeedPlace;
  readonly row: RowId;
  readonly part: AttentionPart;
}

/** Whether `a` stands before `b`. */
export function isBefore(a: NeedPlace, b: NeedPlace): boolean {
  for (const [i, one] of a.entries()) {
    const other = b[i] ?? 0;
    if (one !== other) return one < other;
  }
  return false;
}

/** What {@link needsOf} looks for. */
export interface NeedQuery extends AttentionQuery {
  readonly partition: Partition;
  /** Its place among the kinds. */
  readonly kindNumber: number;
  /** Only what stands behind it. */
  readonly after: NeedPlace;
  /** Where to begin in the index: everything up to it has nothing behind `after`. */
  readonly low: ScanItem | undefined;
  readonly limit: number;
}

/** What was found of one kind. */
export interface FoundNeeds {
  /** In order; complete up to {@link seenUntil}. */
  readonly needs: readonly PlacedNeed[];
  /** Behind this place there may be more of them; `undefined`: there are no more. */
  readonly seenUntil: NeedPlace | undefined;
  /** Where to begin next time, if everything up to this place has been given out. */
  readonly lowAfter: (given: NeedPlace) => ScanItem | undefined;
}

/**
 * Things of one kind, longest waiting first. A run has one key, for its oldest thing, so that a run whose later things
 * are still to be given out is asked again for the next page; it is remembered where the first such run is.
 */
export async function needsOf(
  pipeline: Pipeline,
  store: Store,
  query: NeedQuery,
  damaged: DamagedRows,
): Promise<FoundNeeds> {
  const { partition, kind, kindNumber, after, low, limit, untilMs } = query;
  const index = `${partition}/${attentionIndexes[kind]}`;
  const seen: { readonly key: ScanItem; readonly last: NeedPlace | undefined }[] = [];
  const needs: PlacedNeed[] = [];
  /** A row may have a key that it does not want any more beside the one it has. */
  const asked = new Set<RowId>();
  let next: ScanItem | undefined = low;
  let seenUntil: NeedPlace | undefined;
  for (;;) {
    const page = await store.scan(index, { to: timeKey(untilMs + 1), after: next, limit: Math.min(scanPage, limit) });
    const parts = await Promise.all(
      page.items.map(async (key) => {
        if (asked.has(key.row)) return [];
        asked.add(key.row);
        return damaged.skip(ask(pipeline, store, query, { index, ...key }), []);
      }),
    );
    for (const [i, key] of page.items.entries()) {
      const placed = (parts[i] ?? []).map((part): PlacedNeed => {
        return { place: [part.sinceMs, kindNumber, key.row, part.seq], row: key.row, part };
      });
      const fresh = placed.filter(({ place }) => isBefore(after, place));
      needs.push(...fresh);
      seen.push({ key, last: fresh.at(-1)?.place });
    }
    needs.sort((a, b) => (isBefore(a.place, b.place) ? -1 : 1));
    next = page.next;
    if (next === undefined) {
      seenUntil = undefined;
      break;
    }
    seenUntil = [timeOfKey(next.key), kindNumber, next.row, Infinity];
    const until = seenUntil;
    if (needs.filter(({ place }) => isBefore(place, until)).length >= limit) break;
    if (asked.size > limit + mostMisses && seen[0]?.last === undefined) break;
  }
  return {
    needs,
    seenUntil,
    lowAfter(given) {
      const open = seen.findIndex(({ last }) => last !== undefined && isBefore(given, last));
      const done = open === -1 ? seen.at(-1) : seen[open - 1];
      return done?.key ?? low;
    },
  };
}

async function ask(
  pipeline: Pipeline,
  store: Store,
  query: NeedQuery,
  { index, key, row }: ScanItem & { readonly index: string },
): Promise<readonly AttentionPart[]> {
  const target = { row, partition: query.partition, rules: runRules };
  const parts = await pipeline.execute(target, attention(query), plainCall);
  if (parts.length === 0 && !store.capabilities.atomicIndex) await pipeline.dropStaleKey(target, { index, key });
  return parts;
}
