import type { Seq } from "../../model/row.ts";
import { maxEntries, type Version } from "../store.ts";

/** What a feed key says about a commit that was about to be made. */
export interface Announcement {
  /** The version and fence that the commit was conditional on: once the row has passed them, its fate is settled. */
  readonly version: Version;
  readonly fence: number;
  /** Its first entry, and how many it has: they have their places in the feed also when they are trimmed. */
  readonly first: Seq;
  readonly count: number;
}

const shape = /^a1 (\d+)\.(\d+) (\d+) (\d+)$/;

/** The cell's text: format, version.fence, first seq, number of entries. */
export const encodeAnnouncement = ({ version, fence, first, count }: Announcement): string =>
  `a1 ${version}.${fence} ${first} ${count}`;

/** Reads a cell; undefined: it cannot be read. */
export function decodeAnnouncement(cell: Buffer): Announcement | undefined {
  const found = shape.exec(cell.toString("latin1"));
  if (found === null) return undefined;
  const [, version, fence, first, count] = found.map(Number);
  if (version === undefined || fence === undefined || first === undefined || count === undefined) return undefined;
  const isWhole = [version, fence, first].every(Number.isSafeInteger) && first >= 1 && count <= maxEntries;
  return isWhole ? { version, fence, first, count } : undefined;
}
