import { decodeAnnouncement, type Announcement } from "./announcement.ts";
import type { EntryCell } from "./entry-cell.ts";
import { keyColumn, settledColumn, type FeedKey, type Keys } from "./keys.ts";
import type { BigtableRow } from "./read-rows.ts";

/** A feed key, and what is known of the commit that it announced. */
export interface Announced extends FeedKey, Announcement {
  readonly key: string;
  /** The commit happened, whatever its row says now. */
  readonly isSettled: boolean;
}

/** What a row of the feed announces. */
export function announcedBy(keys: Keys, { key, cells }: BigtableRow): readonly Announced[] {
  const announcement = decodeAnnouncement(cells.get(keyColumn) ?? Buffer.alloc(0));
  // A key that only says "settled" is of a commit whose announcement was removed by hand.
  if (announcement === undefined) return [];
  return [{ key, ...keys.parseFeed(key), ...announcement, isSettled: cells.has(settledColumn) }];
}

/** Whether an entry came with this commit. */
export const isOf = ({ entry, feedMs }: EntryCell, { commitId, ms }: Announced): boolean =>
  entry.commitId === commitId && feedMs === ms;
