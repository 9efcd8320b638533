import { badToken, type PagePosition } from "../../codec/page-token.ts";
import { runIdOfRow, runRow, type Partition } from "../../codec/row-id.ts";
import type { Need } from "../../journal/run/attention.ts";
import type { ScanItem } from "../../store/store.ts";
import type { NeedPlace } from "./need-keys.ts";

/** Where a list goes on: behind a place, and where to begin in the index of each kind. */
export interface NeedPosition {
  readonly after: NeedPlace;
  readonly lows: ReadonlyMap<Need, ScanItem>;
}

/** The start of every list. */
export const startOfNeeds: NeedPosition = { after: [-1, 0, "", 0], lows: new Map() };

/** What stands in a token: runs instead of rows, so that no token leads out of the caller's partition. */
export function needPositionTexts(kinds: readonly Need[], { after, lows }: NeedPosition): PagePosition {
  const [sinceMs, kind, row, seq] = after;
  const begin = kinds.flatMap((one) => {
    const low = lows.get(one);
    return low === undefined ? ["", ""] : [low.key, runIdOfRow(low.row)];
  });
  return [sinceMs, kind, row === "" ? "" : runIdOfRow(row), seq, ...begin];
}

/** The position in a token; the start for none. Errors: ARGUMENT_INVALID. */
export function needPosition(
  partition: Partition,
  kinds: readonly Need[],
  position: PagePosition | null,
): NeedPosition {
  if (position === null) return startOfNeeds;
  const [sinceMs, kind, runId, seq, ...begin] = position;
  const isPlace = isCount(sinceMs, -1) && isCount(kind, 0) && typeof runId === "string" && isCount(seq, 0);
  if (!isPlace || begin.length !== 2 * kinds.length) throw badToken();
  const lows = new Map<Need, ScanItem>();
  for (const [i, one] of kinds.entries()) {
    const [key, of] = begin.slice(2 * i, 2 * i + 2);
    if (typeof key !== "string" || typeof of !== "string") throw badToken();
    if (key === "") continue;
    if (!/^\d{16}$/.test(key)) throw badToken();
    lows.set(one, { key, row: runRow(partition, of) });
  }
  return { after: [sinceMs, kind, runId === "" ? "" : runRow(partition, runId), seq], lows };
}

const isCount = (part: string | number | undefined, least: number): part is number =>
  typeof part === "number" && part >= least;
