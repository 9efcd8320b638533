import { isEmptyHead } from "../codec/head.ts";
import { partitionOfRow, rowKind } from "../codec/row-id.ts";
import { reactionRules } from "../journal/reaction/reaction.ts";
import type { RowRules } from "../journal/row.ts";
import { runRules } from "../journal/run/rules.ts";
import { sessionRules } from "../journal/session/session.ts";
import { taskRules } from "../journal/task/task.ts";
import type { IndexKey, RowId } from "../model/row.ts";
import type { Store } from "../store/store.ts";
import { RowSlot, type RowEvent, type RowState } from "./row-slot.ts";
import type { Target } from "./slot-cache.ts";

/* Rows of all kinds, as far as their index keys go. */

type AnyRules = RowRules<RowState, RowEvent>;

/** The kinds of rows that have index keys. Rules take the states that they made themselves, whatever kind that is. */
const indexed: ReadonlyMap<string, AnyRules> = new Map(
  Object.entries({ run: runRules, session: sessionRules, reaction: reactionRules, task: taskRules }).map(
    ([kind, rules]) => [kind, rules as unknown as AnyRules] as const,
  ),
);

/** A row as a target of calls, by its name alone; `undefined`: it is of a kind that has no index keys. */
export function indexedTarget(row: RowId): Target<RowState, RowEvent> | undefined {
  const rules = indexed.get(rowKind(row));
  return rules === undefined ? undefined : { row, partition: partitionOfRow(row), rules };
}

/**
 * The index keys that a row should have, as it is in the store just now. Not through the pipeline: who asks for all rows
 * would fill its cache. Errors: STORE_UNAVAILABLE, STORE_CORRUPT, FORMAT_NEWER.
 */
export async function wantedKeys(
  store: Store,
  { row, partition, rules }: Target<RowState, RowEvent>,
): Promise<readonly IndexKey[]> {
  const slice = await store.read(row, rules.past === "all" ? {} : { limit: 0 });
  if (slice === null || isEmptyHead(slice.head)) return [];
  const slot = new RowSlot(row, partition, rules);
  slot.restore(slice.version, slice.head, slice.entries);
  return slot.keys;
}

/** Whether a key is there. */
export async function hasKey(store: Store, { index, key }: IndexKey, row: RowId): Promise<boolean> {
  for (let from: { readonly key: string; readonly row: RowId } | undefined; ;) {
    const page = await store.scan(index, { from: key, to: behind(key), after: from, limit: 64 });
    if (page.items.some((item) => item.row === row)) return true;
    if (page.next === undefined) return false;
    from = page.next;
  }
}

/** Keys are printable ASCII, of which a space comes first. */
const behind = (key: string): string => `${key} `;
