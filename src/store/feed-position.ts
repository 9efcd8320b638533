import type { FeedPosition } from "./store.ts";

/** 2025-01-01T00:00:00Z: with 12 bits for the place within a millisecond, positions stay below 2^53 until 2094. */
const epochMs = 1_735_689_600_000;
const placesPerMs = 4096;

/**
 * How far back a reader begins, milliseconds: where more than 4,096 entries fell into one millisecond, the rest moves to
 * the places of the following ones. 65,536 entries may pile up before readers that begin elsewhere would count otherwise.
 */
export const lookBackMs = 16;

/** The millisecond that a position lies in, or was moved to. */
export const msOfPosition = (position: FeedPosition): number => Math.floor(position / placesPerMs) + epochMs;

/** The first place of a millisecond, behind the last one given. */
export const placeIn = (ms: number, last: FeedPosition): FeedPosition =>
  Math.max((ms - epochMs) * placesPerMs, last + 1, 1);
