import { TapeError } from "../errors.ts";
import type { Limits } from "../journal/limits.ts";

/* Pages that stay below the limit of a message (R7), whatever the items hold. */

/** What a page may take: the rest is for what stands around the items. */
export const shareOfMessage = 0.9;
/** A field on the wire beside its texts, at most: tag, length, number. */
const fieldBytes = 16;

/** Roughly what a noun takes on the wire, rather more than less. */
export function weightOf(noun: unknown): number {
  if (typeof noun === "string") return fieldBytes + Buffer.byteLength(noun);
  if (typeof noun !== "object" || noun === null) return fieldBytes;
  let weight = fieldBytes;
  for (const [name, value] of Object.entries(noun)) {
    // Names matter where they are keys of a map, and do no harm elsewhere.
    weight += name.length + weightOf(value);
  }
  return weight;
}

/** Bytes of all texts in it: less than it takes on the wire. */
function textBytes(noun: unknown): number {
  if (typeof noun === "string") return Buffer.byteLength(noun);
  if (typeof noun !== "object" || noun === null) return 0;
  return Object.values(noun).reduce((sum: number, value) => sum + textBytes(value), 0);
}

/**
 * An answer that has no pages: it is given as a whole or, when it cannot fit into a message (R7), refused with advice.
 * Errors: SIZE_LIMIT.
 */
export function whole<T>(answer: T, { messageBytes }: Limits, advice: string): T {
  const size = textBytes(answer);
  if (size <= messageBytes) return answer;
  throw new TapeError(
    "SIZE_LIMIT",
    `the answer is too large for a message: ${size} bytes, the limit is ${messageBytes}; ${advice}, or raise TAPE_MAX_MESSAGE_BYTES`,
    { ids: { field: "message", limit: String(messageBytes), size: String(size) } },
  );
}

/** How a page is filled. */
export interface PageFilling<T> {
  /** Items of the page at most. */
  readonly size: number;
  readonly limits: Limits;
  /** What is on the page already, in bytes. */
  readonly taken?: number;
  /** Items of the first batch: few where an item may be as large as a message. */
  readonly firstBatch: number;
  /** Reads the next items, at most `count`; fewer: there are no more. */
  readonly read: (from: number, count: number) => Promise<readonly T[]>;
}

/** How much larger than the first one a batch may become. */
const growth = 4;

/**
 * Reads items in batches, larger ones once the items have shown to be small, until the page is full or its weight would pass the
 * limit. Gives at least one item where there is one and nothing else on the page.
 */
export async function fillPage<T>({
  size,
  limits,
  taken = 0,
  firstBatch,
  read,
}: PageFilling<T>): Promise<readonly T[]> {
  const room = limits.messageBytes * shareOfMessage;
  const items: T[] = [];
  let weight = taken;
  let batch = firstBatch;
  while (items.length < size) {
    const count = Math.min(batch, size - items.length);
    const found = await read(items.length, count);
    for (const item of found) {
      weight += weightOf(item);
      if (weight > room && (items.length > 0 || taken > 0)) return items;
      items.push(item);
    }
    if (found.length < count) return items;
    const average = Math.max(1, (weight - taken) / items.length);
    batch = Math.max(1, Math.min(firstBatch * growth, Math.floor((room - weight) / average)));
  }
  return items;
}
