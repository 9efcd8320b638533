import { accept, fenceEvent, type Decide } from "../journal/row.ts";
import type { IndexKey } from "../model/row.ts";
import { includesKey } from "./committer.ts";
import { emptyGroup, type Group, type RowEvent, type RowSlot, type RowState } from "./row-slot.ts";

/*
 * Commits that change nothing but a row's version and its index keys. The version makes them safe: no append that is under
 * way can succeed after them, so that none of them can be one that a key is for.
 */

/** Such a commit, given the slot that it is about while calls on it are under way. */
export type KeyFence<T> = (slot: () => RowSlot | undefined) => Decide<RowState, RowEvent, T>;

/** Takes back those of these keys that the row does not want; answers how many. One of a row that does not exist only if asked. */
export const withoutStaleKeys = (keys: readonly IndexKey[], evenAbsent: boolean): KeyFence<number> =>
  fence(0, ({ version }, group, wanted) => {
    const stale = keys.filter((key) => !includesKey(wanted, key));
    if (stale.length === 0 || (version === 0 && !evenAbsent)) return 0;
    group().staleKeys.push(...stale);
    return stale.length;
  });

/** Writes all keys that the row wants; answers whether it wants any. */
export const withAllKeys: KeyFence<boolean> = fence(false, (_slot, group, wanted) => {
  if (wanted.length === 0) return false;
  group().writesAllKeys = true;
  return true;
});

function fence<T>(
  nothing: T,
  plan: (slot: RowSlot, group: () => Group, wanted: readonly IndexKey[]) => T,
): KeyFence<T> {
  return (activeSlot) => (state) => {
    const slot = activeSlot();
    if (slot === undefined) return accept([], nothing);
    const group = (): Group => (slot.group ??= emptyGroup());
    const planned = plan(slot, group, slot.rules.indexKeys(state, slot.partition));
    return accept(planned === nothing ? [] : [{ kind: fenceEvent }], planned);
  };
}
