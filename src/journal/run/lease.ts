import { TapeError } from "../../errors.ts";
import { integer } from "../validate.ts";

const defaultLeaseMs = 120_000;
const defaultClaimMs = 60_000;
const shortestMs = 1000;
const longestMs = 3_600_000;

function duration(value: number | undefined, fallback: number): number {
  const ms = integer("lease_ttl_ms", value);
  if (ms < 0) throw new TapeError("ARGUMENT_INVALID", "lease_ttl_ms must not be negative");
  return ms === 0 ? fallback : Math.min(Math.max(ms, shortestMs), longestMs);
}

/** The length of a lease on a run: 120 s unless asked, between 1 s and 1 h (R10). */
export const leaseMs = (asked: number | undefined): number => duration(asked, defaultLeaseMs);

/** The length of a claim on an effect or obligation: 60 s unless asked, between 1 s and 1 h (R24, R31). */
export const claimMs = (asked: number | undefined): number => duration(asked, defaultClaimMs);
