/** Bounds of a wait between attempts, in milliseconds. */
export interface Backoff {
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

/**
 * How long to wait after `failures` in a row (from 1): doubling, at most the longest, less a random part of up to a
 * half, so that clients of a server that went away do not come back all at once. `random` is from 0 to below 1.
 */
export function backoffMs(failures: number, { baseDelayMs, maxDelayMs }: Backoff, random: number): number {
  const longest = Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1));
  return longest * (1 - random / 2);
}
