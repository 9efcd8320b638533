import { decodeAnnouncement, type Announcement } from "./announcement.ts";
import type { EntryCell } from "./entry-cell.ts";
import { keyColumn, settledColumn, type FeedKey, type Keys } from "./keys.ts";
import type { BigtableRow } from "./read-rows.ts";

/** A feed key, and what is known of the commit that it announced. */
export interface Announced extends FeedKey, Announcement {
  readonly key: string;
  /** The commit happened, whatever its row says now. */
  readonly isSettled: boolean;
  /** What it announced cannot be read: which entries those are, its row may say. */
  readonly isDamaged: boolean;
}

const unknown: Announcement = Object.freeze({ version: 0, fence: 0, first: 0, count: 0 });

/** What a row of the feed announces; `foreign` is told of one whose key is none of Tape's. */
export function announcedBy(
  keys: Keys,
  { key, cells }: BigtableRow,
  foreign: (key: string) => void = () => undefined,
): readonly Announced[] {
  const parts = keys.parseFeed(key);
  if (!Number.isSafeInteger(parts.ms) || parts.row === "" || parts.commitId === "") {
    foreign(key);
    return [];
  }
  const cell = cells.get(keyColumn);
  // A key that only says "settled" is of a commit whose announcement was removed by hand.
  if (cell === undefined) return [];
  const announcement = decodeAnnouncement(cell);
  const isDamaged = announcement === undefined;
  return [
    { key, ...parts, ...(announcement ?? unknown), isSettled: !isDamaged && cells.has(settledColumn), isDamaged },
  ];
}

/** Whether an entry came with this commit. */
export const isOf = ({ entry, feedMs }: EntryCell, { commitId, ms }: Announced): boolean =>
  entry.commitId === commitId && feedMs === ms;
