/*
 * Times as parts of ordered keys: 16 digits hold every integer up to 2^53, so that byte order is time order.
 */

const digits = 16;

/** A time in milliseconds (from 0) as a key that sorts oldest first. */
export const timeKey = (ms: number): string =>
  // The times of our days have 13 digits, inverted 16; padding would cost as much as all the rest of a row's keys.
  ms >= 1e15 ? `${ms}` : ms >= 1e12 && ms < 1e13 ? `000${ms}` : String(Math.max(0, ms)).padStart(digits, "0");

/** A time in milliseconds as a key that sorts newest first. */
export const newestFirstKey = (ms: number): string => timeKey(Number.MAX_SAFE_INTEGER - ms);

/** The time in a key made by {@link timeKey}, perhaps with a suffix; NaN when it is not one. */
export const timeOfKey = (key: string): number => Number(key.slice(0, digits));
