import { TapeError } from "../../errors.ts";
import { integer } from "../validate.ts";

const defaultLeaseMs = 120_000;
const defaultClaimMs = 60_000;
const shortestMs = 1000;
const longestMs = 3_600_000;

function duration(value: number | undefined, fallback: number, name: string): number {
  const ms = integer(name, value);
  if (ms < 0) throw new TapeError("ARGUMENT_INVALID", `${name} must not be negative`);
  return ms === 0 ? fallback : Math.min(Math.max(ms, shortestMs), longestMs);
}

/** The length of a lease on a run: 120 s unless asked, between 1 s and 1 h (R10). */
export const leaseMs = (asked: number | undefined): number => duration(asked, defaultLeaseMs, "lease_ttl_ms");

/** The length of a claim on an effect, obligation or task: 60 s unless asked, between 1 s and 1 h (R24, R31, R71). */
export const claimMs = (asked: number | undefined, name: string = "lease_ttl_ms"): number =>
  duration(asked, defaultClaimMs, name);
